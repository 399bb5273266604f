"""LaTeX escaping: by text, and by pdflatex where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.export.latex import beyond_pdflatex, latex_text
from engine.export.tables import TableFormat, render

EVERYTHING = (
    "&%$#_{}~^\\<>|\"'`*[]--,, !? δ<1.25² 84° ↑↓→ −1 ±3 × ≈ ≤ ▲▼◆ · µ Ω Ο ÉéıñçÅåøßœž ¿¡ – — … “q” ‘q’ \x1b[31m\n"
)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("50 % of a_b & c", r"50 \% of a\_b \& c"),
        ("$#{}", r"\$\#\{\}"),
        ("~^\\", r"\textasciitilde{}\textasciicircum{}\textbackslash{}"),
        ("δ<1.25²", r"\ensuremath{\delta}\textless{}1.25\ensuremath{^{2}}"),
        ("84°", r"84\ensuremath{^{\circ}}"),
        ("↑", r"\ensuremath{\uparrow}"),
        ("−3", r"\ensuremath{-}3"),
        ("λΛ", r"\ensuremath{\lambda}\ensuremath{\Lambda}"),
        ("[x]*", "{[}x{]}{*}"),
        ("--x", "-{}-x"),
        ("éï", r"\'{e}" + '\\"{\\i}'),
        ("a\nb", r"a\textless{}LINE FEED\textgreater{}b"),
    ],
)
def test_known_texts(text: str, latex: str) -> None:
    assert latex_text(text) == latex


@given(st.text())
def test_no_special_character_stays_bare(text: str) -> None:
    latex = latex_text(text)
    # Without the escapes and the known commands nothing special may be left; braces must balance.
    without_escapes = latex.replace("\\\\", "").replace("\\{", "").replace("\\}", "")
    assert without_escapes.count("{") == without_escapes.count("}")
    assert "\n" not in latex
    for character in "%&#_$":
        bare = latex.replace("\\" + character, "").replace("\\ensuremath{_{", "")
        assert character not in bare


def test_other_scripts_name_the_engine_they_need() -> None:
    assert beyond_pdflatex(latex_text("δ é 84°")) == ""
    assert beyond_pdflatex(latex_text("建筑 ok")) == "建筑"
    table = render(pl.DataFrame({"run": ["建"]}), TableFormat.LATEX)
    assert isinstance(table, str)
    assert table.splitlines()[0] == r"% needs \usepackage{booktabs}; needs lualatex or xelatex and a font that has: 建"


def test_layout() -> None:
    frame = pl.DataFrame({"run": ["a", None], "x": [-1.234, None], "n": [1, -2]})
    table = render(frame, TableFormat.LATEX, headers={"x": "AbsRel ↓"}, digits={"x": 2})
    assert table == (
        "% needs \\usepackage{booktabs}\n"
        "\\begin{tabular}{lrr}\n\\toprule\nrun & AbsRel \\ensuremath{\\downarrow} & n \\\\\n\\midrule\n"
        "a & $-$1.23 & 1 \\\\\n-- & -- & $-$2 \\\\\n\\bottomrule\n\\end{tabular}\n"
    )


def test_pdflatex_sets_every_mapped_character(tmp_path: Path) -> None:
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("pdflatex is not installed: escaping is checked by its text alone")
    from engine.export import latex

    accented = (base + mark for base in "aceiju" for mark in latex._ACCENTS)
    rows = [EVERYTHING, *latex._COMMANDS, *(text for text in accented if len(unicodedata.normalize("NFC", text)) == 1)]
    frame = pl.DataFrame({"text": rows, "x": [-1.5] * len(rows)})
    pieces = [str(render(piece, TableFormat.LATEX, digits={"x": 1})) for piece in frame.iter_slices(30)]
    head = r"\documentclass{article}\usepackage{booktabs}\begin{document}"
    document = "\n\n".join([head, *pieces, r"\end{document}"])
    (tmp_path / "table.tex").write_text(document, "utf-8")
    done = subprocess.run(
        [program, "-interaction=nonstopmode", "-halt-on-error", "table.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Missing character" not in (tmp_path / "table.log").read_text("latin-1")
