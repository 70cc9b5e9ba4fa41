"""Headers of contacts, as shops in several languages write them."""

from __future__ import annotations

import pytest

from serving.lists.contact_columns import contact_columns


@pytest.mark.parametrize(
    "headers",
    [
        ["Vorname", "Nachname", "E-Mail", "Telefon"],
        ["VORNAME", "Familienname", "E-Mail-Adresse", "Handynummer"],
        ["Prénom", "Nom", "Adresse e-mail", "Numéro de téléphone"],
        ["Nombre", "Apellidos", "Correo electrónico", "Teléfono móvil"],
        ["Adı", "Soyadı", "E-posta", "Cep Telefonu"],
        ["نام", "نام خانوادگی", "ایمیل", "شماره تماس"],
        ["نام کوچک", "نام خانوادگي", "رایانامه", "موبایل"],
        ["First Name", "Last Name", "Email", "Phone"],
    ],
)
def test_the_halves_of_a_name_an_address_and_a_number_are_found_in_every_language(headers: list[str]) -> None:
    found = contact_columns(["Stadt", *headers[::-1]])

    assert found == dict(zip(("first_name", "last_name", "email", "phone"), headers, strict=True))


@pytest.mark.parametrize(
    "header", ["Name", "Kunde", "Nom", "Nom complet", "Nombre", "Ad", "Ad Soyad", "نام", "نام و نام خانوادگی"]
)
def test_a_name_without_its_other_half_is_the_whole_name(header: str) -> None:
    assert contact_columns(["id", header]) == {"name": header}


def test_words_of_other_things_are_no_contacts() -> None:
    assert contact_columns(["customer_id", "Adresse", "Ort", "nombre de commandes", "kundennummer"]) == {}
