"""Takes a picture of the console: runs `weir demo` in a pseudo-terminal, types keys, and writes the screen as SVG.

usage: .venv/bin/python .ci/picture.py WEIR OUT.svg [--size 120x36] [--seconds 45] [--keys 1] [--theme dark] [-- COMMAND ...]
"""
import argparse
import html
import os
import sys
import time

os.environ["NCURSES_NO_UTF8_ACS"] = "1"
import pexpect
import pyte

CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 8.4, 18, 14
GROUND, INK = "#16181d", "#d8dee9"
NAMED = {
    "black": "#2e3440", "red": "#bf616a", "green": "#a3be8c", "brown": "#ebcb8b", "blue": "#81a1c1", "magenta": "#b48ead",
    "cyan": "#88c0d0", "white": "#d8dee9", "default": None,
}


def colour(name, fallback):
    if name in NAMED:
        return NAMED[name] or fallback
    if name.startswith("bright"):
        return NAMED.get(name[6:]) or fallback
    return "#" + name


def runs(line, columns):
    """Neighbouring cells of one look, as (column, text, ink, ground, bold)."""
    start, text, look = 0, "", None
    for column in range(columns):
        cell = line[column]
        ink, ground = colour(cell.fg, INK), colour(cell.bg, GROUND)
        if cell.reverse:
            ink, ground = ground, ink
        this = (ink, ground, cell.bold)
        if this != look and text:
            yield start, text, *look
            start, text = column, ""
        look = this
        text += cell.data or " "
    if text:
        yield start, text, *look


def svg(screen):
    width, height = screen.columns * CELL_WIDTH + 16, screen.lines * CELL_HEIGHT + 16
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">',
        f'<rect width="100%" height="100%" rx="6" fill="{GROUND}"/>',
        f'<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{FONT_SIZE}">',
    ]
    for row in range(screen.lines):
        y = 8 + row * CELL_HEIGHT
        for column, text, ink, ground, bold in runs(screen.buffer[row], screen.columns):
            x, run_width = 8 + column * CELL_WIDTH, len(text) * CELL_WIDTH
            if ground != GROUND:
                out.append(f'<rect x="{x:.1f}" y="{y}" width="{run_width:.1f}" height="{CELL_HEIGHT}" fill="{ground}"/>')
            if text.strip():
                weight = ' font-weight="bold"' if bold else ""
                out.append(
                    f'<text x="{x:.1f}" y="{y + 13.5}" textLength="{run_width:.1f}" lengthAdjust="spacingAndGlyphs" '
                    f'xml:space="preserve" fill="{ink}"{weight}>{html.escape(text)}</text>')
    return "\n".join(out + ["</g>", "</svg>", ""])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weir")
    parser.add_argument("out")
    parser.add_argument("--size", default="120x36")
    parser.add_argument("--seconds", type=float, default=45)
    parser.add_argument("--keys", default="1")
    parser.add_argument("--theme", default="dark")
    parser.add_argument("--text", action="store_true", help="print the screen too")
    options = parser.parse_args()
    columns, lines = map(int, options.size.split("x"))
    environment = dict(os.environ, TERM="xterm-256color", COLORTERM="", LC_ALL="C.UTF-8")
    environment.pop("NO_COLOR", None)
    command = [options.weir, "demo", "--theme", options.theme]
    child = pexpect.spawn(command[0], command[1:], dimensions=(lines, columns), env=environment, timeout=5)
    screen = pyte.Screen(columns, lines)
    stream = pyte.ByteStream(screen)

    def watch(seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                stream.feed(child.read_nonblocking(65536, timeout=0.2))
            except pexpect.TIMEOUT:
                pass
            except pexpect.EOF:
                sys.exit("weir ended: " + "\n".join(screen.display))

    watch(options.seconds)
    for key in options.keys:
        child.send(key)
        watch(1.5)
    with open(options.out, "w") as file:
        file.write(svg(screen))
    if options.text:
        print("\n".join(screen.display))
    child.kill(15)


main()
