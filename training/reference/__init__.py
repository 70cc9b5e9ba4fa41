"""Reference of a version: distributions and test performance that later logs are compared with."""
