"""Which columns of a table of contacts are the name, the e-mail address and the phone number, by their headers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal, get_args

Role = Literal["name", "first_name", "last_name", "email", "phone"]
ROLES: tuple[Role, ...] = get_args(Role)

# By language: English, Persian, German, French, Spanish, Turkish; without accents, as `plain_header` writes them.
_HEADERS: dict[Role, tuple[str, ...]] = {
    "name": (
        *("name", "full name", "fullname", "customer name", "contact name", "display name"),
        *("نام و نام خانوادگی", "نام مشتری"),
        *("vollstandiger name", "kundenname", "kunde", "ansprechpartner", "nom complet", "nom et prenom"),
        *("nom prenom", "prenom et nom", "prenom nom", "nom du client", "nombre completo", "nombre y apellidos"),
        *("nombre y apellido", "nombre del cliente", "ad soyad", "adi soyadi", "isim soyisim", "musteri adi"),
    ),
    "first_name": (
        *("first name", "firstname", "given name", "fname", "نام کوچک"),
        *("vorname", "prenom", "nombre de pila"),
    ),
    "last_name": (
        *("last name", "lastname", "surname", "family name", "lname", "نام خانوادگی"),
        *("nachname", "familienname", "nom de famille", "apellido", "apellidos", "soyad", "soyadi", "soyisim"),
    ),
    "email": (
        *("email", "e mail", "email address", "e mail address", "mail", "ایمیل", "رایانامه", "پست الکترونیک"),
        *("e mail adresse", "email adresse", "mailadresse", "courriel", "adresse e mail", "adresse email"),
        *("adresse mail", "adresse electronique", "correo", "correo electronico", "direccion de correo", "e posta"),
        *("eposta", "e posta adresi", "eposta adresi"),
    ),
    "phone": (
        *("phone", "phone number", "mobile", "mobile number", "mobile phone", "telephone", "tel", "cell", "cellphone"),
        *("تلفن", "موبایل", "تلفن همراه", "شماره تلفن", "شماره تماس", "شماره موبایل", "همراه"),
        *("telefon", "telefonnummer", "handy", "handynummer", "mobil", "mobilnummer", "mobiltelefon", "rufnummer"),
        *("numero de telephone", "portable", "telephone portable", "tel portable", "telefono", "movil", "celular"),
        *("numero de telefono", "telefono movil", "cep telefonu", "cep", "gsm", "telefon numarasi", "cep tel"),
    ),
}  # fmt: skip
_HALVES: dict[str, Role] = {
    **dict.fromkeys(("nombre", "ad", "adi", "isim", "نام"), "first_name"),
    "nom": "last_name",
}
"""What a word is where another column has the other half of the name; else it is the whole name."""

_LETTERS = str.maketrans({"ı": "i", "ي": "ی", "ك": "ک"})


def contact_columns(names: Iterable[str]) -> dict[Role, str]:
    """Return the column of each role that there is, the first of several, in the order of `ROLES`.

    Examples
    --------
    >>> contact_columns(["city", "E-Mail", "Mobile_Phone", "نام"])
    {'name': 'نام', 'email': 'E-Mail', 'phone': 'Mobile_Phone'}
    >>> contact_columns(["Nom", "Prénom", "Courriel", "Téléphone"])
    {'first_name': 'Prénom', 'last_name': 'Nom', 'email': 'Courriel', 'phone': 'Téléphone'}
    """
    found = {plain_header(name): name for name in reversed(list(names))}
    roles = {
        role: next(found[header] for header in headers if header in found)
        for role, headers in _HEADERS.items()
        if any(header in found for header in headers)
    }
    for header in (each for each in _HALVES if each in found):
        half = _HALVES[header]
        other: Role = "last_name" if half == "first_name" else "first_name"
        roles.setdefault(half if other in roles else "name", found[header])
    return {role: roles[role] for role in ROLES if role in roles}


def plain_header(name: str) -> str:
    """Return a header without case, accents and marks between its words."""
    letters = unicodedata.normalize("NFKD", re.sub(r"[\s_.\-/\u200c]+", " ", name).strip().casefold())
    return "".join(each for each in letters if not unicodedata.combining(each)).translate(_LETTERS)
