"""What README and guide tell the reader to type works, in the order they tell it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from napari_dgc.cli import main
from napari_dgc.cli.parser import build_parser

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    str(path.relative_to(ROOT))
    for path in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")))
]
ROLES = {"0": "background", "1": "healthy", "2": "lesion"}


def blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of a page that are in this language."""
    text = (ROOT / name).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(name: str) -> list[list[str]]:
    """Every command of a page's `sh` blocks, in words."""
    lines = "\n".join(blocks(name, "sh")).splitlines()
    return [
        shlex.split(line, comments=True)
        for line in lines
        if line.startswith("napari-dgc ")
    ]


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    status = main([*words[1:], "-q"])
    out, err = capsys.readouterr()
    assert status == 0, f"{shlex.join(words)}: {err}"
    return out


def test_every_command_of_the_guide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    values: dict[str, list[int]] = {}
    told = commands("docs/guide.md")
    assert {words[1] for words in told} >= {
        *("sample", "info", "train", "segment", "merge", "study", "report", "evaluate")
    }
    for words in told:
        if words[1] == "evaluate":
            scores = json.loads(run(words, capsys))
            assert scores["classes"]["lesion"]["iou"] > 0.9
            values = {ROLES[n]: ids for n, ids in scores["mapping"].items()}
            continue
        for i, word in enumerate(words):
            role = word.split("=")[0]
            if words[i - 1] == "--role":  # "take the numbers that you found"
                words[i] = f"{role}={','.join(map(str, values[role]))}"
        run(words, capsys)
    assert "lesion" in (tmp_path / "report" / "severity.csv").read_text("utf-8-sig")


def test_every_command_of_the_readme_on_small_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small = {"sample": ["--scenes", "2", "--size", "64"], "train": ["--steps", "1"]}
    told = commands("README.md")
    assert len(told) >= 5
    for words in told:
        run([*words, *small.get(words[1], [])], capsys)
    (tmp_path / "scenes" / "leaf_01_healthy.mat").rename(tmp_path / "leaf.mat")
    (code,) = blocks("README.md", "python")
    assert "Config(k=16)" in code
    space: dict[str, object] = {}
    exec(code.replace("Config(k=16)", "Config(k=16, steps=1)"), space)
    clusters = space["clusters"]
    assert getattr(clusters, "shape", None) == (64, 64)


@pytest.mark.parametrize("page", ["README.md", "docs/guide.md", "docs/study.md"])
def test_every_option_and_command_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    known = set(re.findall(r"--[a-z][a-z-]+", _helps()))
    ours = set(re.findall(r"`[^`\n]*?(--[a-z][a-z-]+)", text))
    assert ours - known <= {"--full", "--quick", "--rows", "--k"}, "of the benchmarks"
    for command in re.findall(r"`napari-dgc ([a-z]+)", text):
        assert f"    {command}" in build_parser().format_help()


def _helps() -> str:
    """The help of every command."""
    import argparse

    def walk(parser: argparse.ArgumentParser) -> str:
        text = parser.format_help()
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                text += "".join(map(walk, action.choices.values()))
        return text

    return walk(build_parser())


@pytest.mark.parametrize("page", PAGES)
def test_every_picture_and_page_linked_is_there(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+?)\)", text):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), target
