"""The kinds `import` and `mapping`: their faults at their places, and the places an import may read from."""

import re
from pathlib import Path, PurePath

import pytest

import spira.worker.builtin  # noqa: F401  (registers every kind)
from spira.collect.connectors.base import Unreadable
from spira.collect.imports.definition import connector_of, file_connector
from spira.collect.mapping.model import MappingDefinition, mapping_called, read_mapping, shipped
from spira.definitions.check import check
from spira.definitions.workspace import read_definitions
from spira.kernel.diagnostics import render
from spira.kernel.errors import NotAllowed, NotFound
from spira.kernel.settings import Settings

ERRORS = Path(__file__).parents[3] / "docs" / "reference" / "errors"
PAGES = sorted(ERRORS.glob("D6*.md"))
WRONG = re.compile(r"## Wrong\n\n```yaml\n(.*?)```\n\n```text\n(.*?)\n```", re.DOTALL)
RIGHT = re.compile(r"## Right\n\n```yaml\n(.*?)```", re.DOTALL)
TILL = mapping_called("jd_orders", [])


def shown(text):
    """Everything that is wrong with one file, as a terminal shows it."""
    workspace = read_definitions([(PurePath("example.yaml"), text)], Settings())
    return "\n\n".join(render(each, workspace.sources[each.at.path]) for each in check(workspace))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_golden_example_of_an_error_page(page):
    """
    The wrong example gives the very text that the page shows, and the right one nothing.
    """
    text = page.read_text(encoding="utf-8")
    wrong, expected = WRONG.search(text).groups()
    assert shown(wrong) == expected
    assert {found.split("]")[0] for found in expected.split("error[")[1:]} == {page.stem}
    assert shown(RIGHT.search(text).group(1)) == ""


IMPORT = "import: nightly\nsource: shop\nfrom: {}\nmapping: jd_orders\n"


@pytest.mark.parametrize(
    ("origin", "says"),
    [
        ("{folder: drops}", "`from` needs a `kind`"),
        ("{kind: foldr, folder: drops}", "no kind of connector called `foldr`"),
        ("{kind: folder}", "a connector of the kind `folder` needs `folder`"),
        ("{kind: folder, foldr: drops}", "did you mean `folder`?"),
        ("{kind: folder, folder: 7}", "`folder` can't be `7`"),
        ("{kind: sql, url: 'sqlite:///x.db'}", "write either `table` or `statement`"),
        ("{kind: objects, address: x.csv}", "an `address` begins with its protocol"),
        ("{kind: csv, path: x.csv, encoding: klingon}", "no encoding called `klingon`"),
    ],
)
def test_what_does_not_fit_a_connector_is_told(origin, says):
    """
    Its kind, its options, their types, and what they are together.
    """
    assert says in shown(IMPORT.replace("{}", origin))


def test_a_mapping_that_is_not_there_is_told_with_the_nearest():
    """
    Those that come with Spira count.
    """
    text = IMPORT.replace("{}", "{kind: folder, folder: drops}")
    assert shown(text) == ""
    assert "did you mean `jd_orders`?" in shown(text.replace("jd_orders", "jd_order"))
    with pytest.raises(NotFound, match="no mapping called `jd_order`"):
        mapping_called("jd_order", [])


def options(tmp_path, folders=(), **origin):
    return connector_of(origin, TILL, directory=tmp_path, folders=[str(each) for each in folders])[1]


@pytest.mark.parametrize(
    "origin",
    [
        {"kind": "folder", "folder": "/etc"},
        {"kind": "folder", "folder": "../.."},
        {"kind": "folder", "folder": "data/log"},
        {"kind": "csv", "path": "/etc/passwd"},
        {"kind": "excel", "path": "plugins/x.xlsx"},
        {"kind": "objects", "address": "file:///etc/*.csv"},
        {"kind": "objects", "address": "local://../x.csv"},
        {"kind": "objects", "address": "simplecache::file:///etc/x.csv"},
        {"kind": "objects", "address": "filecache:///etc/x.csv", "storage": {"target_protocol": "file"}},
        {"kind": "objects", "address": "zip://*.csv", "storage": {"fo": "/etc/x.zip"}},
        {"kind": "objects", "address": "s3://etc/x.csv", "storage": {"protocol": "file"}},
        {"kind": "objects", "address": "file://drops/x.csv", "storage": {"protocol": "dir"}},
        {"kind": "sql", "url": "sqlite:////etc/x.db", "table": "t"},
        {"kind": "sql", "url": "sqlite:///data/state.sqlite", "table": "staff"},
    ],
)
def test_an_import_reads_nothing_that_is_not_for_it(tmp_path, origin):
    """
    Neither the machine's files, nor what the workspace keeps to itself, by whatever way.
    """
    with pytest.raises(NotAllowed) as fault:
        options(tmp_path, **origin)
    assert fault.value.help


def test_a_link_out_of_the_workspace_leads_nowhere(tmp_path):
    """
    A symbolic link is followed before it is judged.
    """
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "drops").symlink_to("/etc")
    with pytest.raises(NotAllowed):
        options(tmp_path / "ws", kind="folder", folder="drops")


def test_a_folder_that_is_allowed_is_read(tmp_path):
    """
    `collect.import_folders` names it; paths inside the workspace are made whole.
    """
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "ws").mkdir()
    found = options(tmp_path / "ws", [elsewhere], kind="folder", folder=str(elsewhere / "till"))
    assert found["folder"] == str(elsewhere / "till")
    found = options(tmp_path / "ws", kind="folder", folder="drops")
    assert found["folder"] == str(tmp_path / "ws" / "drops")
    found = options(tmp_path / "ws", kind="sql", url="sqlite:///shop.db", table="t")
    assert found["url"] == f"sqlite:///{tmp_path / 'ws' / 'shop.db'}"


def test_how_a_mapping_reads_reaches_the_connector(tmp_path):
    """
    `read:` of the mapping is the file's way of reading, unless the import says another.
    """
    text = "mapping: m\nread: {encoding: gbk, header: 2}\ncolumns: {a: text}\n"
    text += "calls: [{call: identify, user_id: a, traits: {a: a}}]\n"
    model, _, faults = read_mapping(text, PurePath("m.yaml"))
    assert faults == []
    kind, found = file_connector(tmp_path / "x.csv", model)
    assert (kind, found) == ("csv", {"path": str(tmp_path / "x.csv"), "encoding": "gbk", "header": 2})
    kind, found = file_connector(tmp_path / "x.xlsx", model)
    assert (kind, found) == ("excel", {"path": str(tmp_path / "x.xlsx"), "header": 2})
    with pytest.raises(Unreadable, match="nothing reads files such as"):
        file_connector(tmp_path / "x.png", model)


@pytest.mark.parametrize("name", list(shipped()))
def test_a_mapping_crosses_to_a_child_and_back(name):
    """
    What a child reads of the JSON it is handed is the mapping itself.
    """
    model, text = shipped()[name]
    assert MappingDefinition.model_validate_json(model.model_dump_json(by_alias=True)) == model
    assert shown(text) == ""
