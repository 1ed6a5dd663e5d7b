"""Numbers and tables as text, and the page that they are written into."""

BEGIN, END = "<!-- begin measured -->", "<!-- end measured -->"


def digits(value):
    """With three digits, or as many as stand before the point."""
    if value is None:
        return ""
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{decimals}f}"


def binary(number):
    """32768 as 32 Ki."""
    for power, prefix in ((20, "Mi"), (10, "Ki")):
        if number and number % (1 << power) == 0:
            return f"{number >> power} {prefix}"
    return str(number)


def table(head, rows):
    """A table in Markdown, whose numbers stand right."""
    lines = [head, *rows]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(head))]
    first, *others = widths
    text = [
        "| " + " | ".join([line[0].ljust(first), *(cell.rjust(width) for cell, width in zip(line[1:], others))]) + " |"
        for line in lines
    ]
    text.insert(1, "|" + "|".join(["-" * (first + 2), *("-" * (width + 1) + ":" for width in others)]) + "|")
    return "\n".join(text)


def write_between_marks(page, text):
    """Replaces what stands between the two marks of a page. Both must be there, so that no other file is spoiled."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page} has no lines {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text.strip()}\n\n{END}{after}")
