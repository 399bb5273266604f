"""``python -m catalogues``: bring engine/locale up to date; ``--check`` only says whether it is."""

from __future__ import annotations

import argparse
import sys

from catalogues.update import DOMAINS, TRANSLATED, state, write


def main() -> int:
    """Returns: 1 where texts are untranslated or, with ``--check``, files are out of date; else 0."""
    parser = argparse.ArgumentParser("python -m catalogues", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    failed = False
    for language in TRANSLATED:
        for domain in DOMAINS:
            catalogue = state(domain, language)
            if catalogue.stale:
                print(f"{catalogue.po}: {'out of date' if check else 'brought up to date'}")
                failed |= check
                if not check:
                    write(catalogue)
            for message in catalogue.untranslated:
                print(f"{catalogue.po}: untranslated: {message!r}")
            failed |= bool(catalogue.untranslated)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
