import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "feeds.md"


def test_the_code_on_the_page_runs():
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 5
    scope = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), scope)  # noqa: S102  (the page's own examples)
    assert scope["share"].value > 0.0
