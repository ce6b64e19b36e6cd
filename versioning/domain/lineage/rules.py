"""Staff's word over the grammar's: which ids a rule keeps out."""

from versioning.domain.lineage.known import Rules


def refusal(model_id: str, rules: Rules) -> str:
    """Say whose rule keeps an id out, or nothing."""
    for rule in rules.forbidden:
        if rule.pattern == model_id:
            return f"Forbidden by {rule.cite()}."
    for rule in rules.ignored:
        if matches(rule.pattern, model_id):
            return f"Ignored by {rule.cite()}: {rule.pattern}."
    return ""


def matches(pattern: str, model_id: str) -> bool:
    """Match `*` and `?` without regard to case, in at most len(pattern) x len(id) steps.

    One star is remembered at a time, so no pattern can blow up.
    """
    pattern, text = pattern.lower(), model_id.lower()
    at = inside = 0
    star, resume = -1, 0
    while at < len(text):
        if inside < len(pattern) and pattern[inside] == "*":
            star, resume = inside, at
            inside += 1
        elif inside < len(pattern) and pattern[inside] in ("?", text[at]):
            at, inside = at + 1, inside + 1
        elif star >= 0:
            resume += 1
            at, inside = resume, star + 1
        else:
            return False
    return pattern[inside:].strip("*") == ""
