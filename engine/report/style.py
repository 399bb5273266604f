"""The style of the HTML report: colours of light and dark ground, and the rules of page and plots.

Colours of runs are Okabe and Ito's (Color Universal Design, 2008), which people with any colour vision tell apart;
those on dark ground are the same hues, lighter. Text has a contrast of at least 7 : 1 on its ground.
"""

from __future__ import annotations

_LIGHT = {
    "ground": "#ffffff",
    "panel": "#f6f7f9",
    "text": "#1b1f24",
    "soft": "#4a525c",
    "rule": "#d5dae0",
    "grid": "#e6e9ed",
    "accent": "#0b5394",
    "better": "#0a5c36",
    "worse": "#9c2a10",
    "tied": "#4a525c",
    "better-ground": "#e3f3ea",
    "worse-ground": "#fbe9e4",
    "s0": "#0072b2",
    "s1": "#d55e00",
    "s2": "#007a5a",
    "s3": "#a0527d",
}
_DARK = {
    "ground": "#14171b",
    "panel": "#1c2127",
    "text": "#e8ebee",
    "soft": "#b3bbc4",
    "rule": "#3a424c",
    "grid": "#272d35",
    "accent": "#8fc1f0",
    "better": "#83d6a8",
    "worse": "#f5a48f",
    "tied": "#b3bbc4",
    "better-ground": "#163325",
    "worse-ground": "#3d1f17",
    "s0": "#56b4e9",
    "s1": "#f0a04b",
    "s2": "#3fc79a",
    "s3": "#e3a1c6",
}
_SERIES = ("s0", "s1", "s2", "s3")

_PAGE = """\
*{box-sizing:border-box}
html{font-size:16px;-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2rem 1.25rem 4rem;max-width:60rem;line-height:1.55;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",
sans-serif}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 1rem}
h2{font-size:1.35rem;margin:2.75rem 0 .75rem;padding-bottom:.3rem;border-bottom:1px solid}
h3{font-size:1.08rem;margin:1.75rem 0 .5rem}
p,ul{margin:.6rem 0}
ul{padding-left:1.35rem}
li{margin:.3rem 0}
nav ul{columns:2;list-style:none;padding:0;margin:0}
nav{margin:1.5rem 0;padding:.9rem 1.1rem;border-radius:.4rem}
nav p{font-weight:600;margin:0 0 .4rem}
.note{padding:.75rem 1rem;border-left:4px solid;border-radius:.2rem;margin:1rem 0}
.wide{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:0 0 .45rem;font-size:.9rem}
th,td{padding:.35rem .6rem;border-bottom:1px solid;text-align:left;vertical-align:top}
th{font-weight:600;white-space:nowrap}
.n{text-align:right;white-space:nowrap}
td.better,td.worse,td.tied{white-space:nowrap}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.88em;padding:.08em .3em;
border-radius:.25em;overflow-wrap:anywhere}
pre{padding:.8rem 1rem;border-radius:.4rem;overflow-x:auto;line-height:1.4}
pre code{padding:0;font-size:.85rem;overflow-wrap:normal}
figure{margin:1.5rem 0}
figcaption{font-size:.9rem;margin:.4rem 0 0}
svg.plot{display:block;width:100%;height:auto}
footer{margin-top:3rem;padding-top:.8rem;border-top:1px solid;font-size:.85rem}
@media (max-width:40rem){nav ul{columns:1}}
@media print{body{max-width:none;padding:0}h2{break-after:avoid}figure,tr{break-inside:avoid}nav{display:none}}
"""
_PLOT = """\
svg.plot text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans CJK SC",sans-serif}
.plot .tick{font-size:11px}
.plot .name,.plot .legend{font-size:12px}
.plot .line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.plot .level{stroke-width:1.3;stroke-dasharray:6 4}
.plot .threshold{stroke-width:1.3;stroke-dasharray:2 3}
.plot .ring,.plot .jump{fill:none;stroke-width:1.6}
.plot .band{stroke:none;opacity:.13}
.plot .span{fill:none;stroke-width:1.8}
.plot .grid,.plot .axis,.plot .zero{stroke-width:1}
"""


def style() -> str:
    """Rules for a whole page, light with a dark variant for those who prefer it; prints light."""
    dark = f"@media screen and (prefers-color-scheme:dark){{\n{_colours(_DARK)}}}\n"
    return f"{_PAGE}{_PLOT}{_colours(_LIGHT)}:root{{color-scheme:light dark}}\n{dark}"


def plot_style(*, dark: bool = False) -> str:
    """Rules for a drawing that stands alone."""
    return _PLOT + _plot_colours(_DARK if dark else _LIGHT)


def _colours(of: dict[str, str]) -> str:
    page = f"""\
body{{background:{of["ground"]};color:{of["text"]}}}
h2,th,td,footer{{border-color:{of["rule"]}}}
a{{color:{of["accent"]}}}
caption,figcaption,footer{{color:{of["soft"]}}}
nav,pre,code{{background:{of["panel"]}}}
.note{{background:{of["panel"]};border-color:{of["accent"]}}}
td.better{{color:{of["better"]};background:{of["better-ground"]}}}
td.worse{{color:{of["worse"]};background:{of["worse-ground"]}}}
td.tied{{color:{of["tied"]}}}
"""
    return page + _plot_colours(of)


def _plot_colours(of: dict[str, str]) -> str:
    series = "".join(
        f".plot .{name}{{stroke:{of[name]}}}\n.plot .point.{name},.plot .band.{name}{{fill:{of[name]}}}\n"
        for name in _SERIES
    )
    return f"""\
.plot .ground{{fill:{of["ground"]}}}
.plot text{{fill:{of["soft"]}}}
.plot .legend{{fill:{of["text"]}}}
.plot .grid{{stroke:{of["grid"]}}}
.plot .axis,.plot .zero{{stroke:{of["soft"]}}}
.plot .threshold,.plot .plain{{stroke:{of["soft"]}}}
.plot .band.plain{{fill:{of["soft"]}}}
{series}.plot .band{{stroke:none}}
.plot .span.better{{stroke:{of["better"]}}}
.plot .span.worse{{stroke:{of["worse"]}}}
.plot .span.tied,.plot .span.none{{stroke:{of["tied"]}}}
"""
