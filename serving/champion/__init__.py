"""The champion that answers: watched, checked, swapped, and kept on this machine for bad days."""
