"""Words with which people and programs answer yes or no, in the languages of the usual shop systems; in lower case."""

YES = (
    *(
        "true",
        "1",
        "1.0",
        "yes",
        "t",
        "y",
        "on",
        "x",
        "✓",
        "ja",
        "j",
        "wahr",
        "oui",
        "vrai",
        "si",
        "sí",
        "sì",
    ),
    *("sim", "verdadero", "verdadeiro", "vero", "evet", "doğru", "tak", "да", "بله", "بلی", "آری", "نعم"),
)
NO = (
    *("false", "0", "0.0", "no", "f", "n", "off", "nein", "falsch", "non", "faux", "não", "nao", "falso"),
    *("hayır", "yanlış", "nee", "nie", "нет", "خیر", "خير", "نه", "لا"),
)
