"""Guessing passwords at the admin's sign-in: slowed down by name and address, and nobody is kept out."""

from urllib.parse import urlencode

import pytest

from tests.factories import UserFactory

PASSWORD = "correct horse battery staple"
LOGIN = "/admin/login/"


@pytest.fixture
def boss(db):
    found = UserFactory(username="boss", is_staff=True)
    found.set_password(PASSWORD)
    found.save()
    return found


@pytest.fixture
def attempt(client, address):
    """Try to sign in; the answer."""

    def post(username, password, source=address):
        client.logout()
        form = {"username": username, "password": password}
        return client.post(LOGIN, form, REMOTE_ADDR=source)

    return post


@pytest.mark.parametrize("name", ["boss", "nobody-of-this-name", "boss\0", ""])
def test_guesses_end_in_a_429_whether_or_not_the_name_exists(boss, attempt, limit, name):
    limit(sign_in="3/hour")
    answers = [attempt(name, f"guess {n}") for n in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 1200
    assert answers[-1].content.startswith(b"Too many attempts to sign in. Try again in ")


def test_the_right_password_is_not_looked_at_while_locked(boss, attempt, limit):
    limit(sign_in="1/hour")
    attempt("boss", "wrong")
    assert attempt("boss", PASSWORD).status_code == 429


@pytest.mark.parametrize("spelling", ["BOSS", "ｂｏｓｓ", "boss ", " \tboss"])
def test_another_spelling_is_the_same_name(boss, attempt, limit, spelling):
    limit(sign_in="1/hour")
    attempt("boss", "wrong")
    assert attempt(spelling, "wrong").status_code == 429


def test_somebody_elses_guesses_do_not_keep_the_real_person_out(boss, attempt, limit):
    limit(sign_in="1/hour")
    for _ in range(3):
        attempt("boss", "wrong", source="203.0.113.9")
    assert attempt("boss", PASSWORD).status_code == 302


def test_who_signs_in_begins_anew(boss, attempt, limit):
    limit(sign_in="2/hour")
    for _ in range(3):
        assert attempt("boss", "wrong").status_code == 200
        assert attempt("boss", PASSWORD).status_code == 302


def test_many_names_from_one_address(boss, attempt, limit):
    limit(sign_in_address="3/hour")
    answers = [attempt(f"name{n}", "the same password").status_code for n in range(4)]
    assert answers == [200, 200, 200, 429]


def test_who_is_signed_in_cannot_guess_for_others_without_end(boss, client, limit, address):
    limit(sign_in="2/hour")
    client.force_login(boss)
    form = {"username": "root", "password": "wrong"}
    answers = [client.post(LOGIN, form, REMOTE_ADDR=address).status_code for _ in range(4)]
    assert answers == [200, 200, 429, 429]


def test_a_wrong_name_and_a_wrong_password_read_the_same(boss, attempt):
    texts = {
        attempt(name, "wrong").content.decode().count("Please enter the correct username")
        for name in ("boss", "nobody-of-this-name")
    }
    assert texts == {1}


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        pytest.param(None, "/admin/", id="nothing-wanted"),
        pytest.param("", "/admin/", id="an-empty-one"),
        pytest.param("https://elsewhere.example/", "/admin/", id="a-page-of-others"),
        pytest.param("//elsewhere.example/admin/", "/admin/", id="a-page-of-others-without-a-scheme"),
        pytest.param("/admin/projects_app/user/", "/admin/projects_app/user/", id="a-page-of-ours"),
    ],
)
@pytest.mark.parametrize("where", ["query", "form"])
def test_the_sign_in_leads_to_a_page_that_is_there(boss, client, where, wanted, path):
    asked = {} if wanted is None else {"next": wanted}
    target = LOGIN if where == "form" else f"{LOGIN}?{urlencode(asked)}"
    form = {"username": "boss", "password": PASSWORD} | (asked if where == "form" else {})
    answer = client.post(target, form)
    assert (answer.status_code, answer["Location"]) == (302, path)
