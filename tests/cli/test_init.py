"""`spira init`: a workspace that works at once, or nothing."""

import stat

from spira.kernel.settings import load_settings


def test_a_new_workspace_is_ready_and_lets_its_administrator_in(spira, tmp_path):
    """
    Folders, settings, private keys and a one-time link; nothing secret is left to git.
    """
    directory = tmp_path / "shop"
    ran = spira("init", directory, "--brand", '角落"店', "--zone", "UTC", "--email", "ann@example.com", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["email"] == "ann@example.com"
    assert "/sign-in/" in ran.json["sign_in"]
    assert load_settings(directory).workspace.brand == '角落"店'
    assert stat.S_IMODE((directory / "spira.keys").stat().st_mode) == 0o600
    assert {"data/", "spira.keys"} <= set((directory / ".gitignore").read_text(encoding="utf-8").split())
    assert (directory / "tags").is_dir()
    assert "`audiences/`" in (directory / "README.md").read_text(encoding="utf-8")
    assert spira("check", "--dir", directory).code == 0


def test_a_directory_with_files_is_left_alone(spira, tmp_path):
    """
    Nobody's files become a workspace by accident.
    """
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    ran = spira("init", tmp_path)
    assert ran.code == 1
    assert "error[E009]" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_wrong_setting_leaves_nothing_behind(spira, tmp_path):
    """
    After the mistake is mended the same command works.
    """
    ran = spira("init", tmp_path / "shop", "--zone", "Middle/Earth")
    assert ran.code == 1
    assert "`Middle/Earth` is not a time zone" in ran.err
    assert list((tmp_path / "shop").iterdir()) == []
