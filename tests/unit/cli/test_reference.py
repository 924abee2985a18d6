from scripts.commands import FILE, reference


def test_the_reference_of_the_commands_is_what_they_say() -> None:
    assert FILE.read_text() == reference(), "run make commands"
