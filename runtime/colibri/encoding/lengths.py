"""A role's rules with the lengths that one call asks for."""

from dataclasses import replace

from colibri import checks
from colibri.artefact import Role, RoleName
from colibri.errors import InputError


def with_lengths(
    role: Role, name: RoleName, *, frame: int, longest: int, max_tokens: object, expand_to: object
) -> Role:
    """The rules that hold where texts are cut at `max_tokens` and expanded to `expand_to`; None: as the artefact says.

    frame    tokens around every text: start, marker, end
    longest  most tokens the graph takes

    Raises InputError for a length that leaves no room for a text, or that the graph cannot take, and for an expansion
    of what is not expanded.
    """
    if max_tokens is not None:
        if not checks.is_count(max_tokens) or not frame < max_tokens <= longest:
            raise InputError(
                f"max_tokens: found {max_tokens!r}, wanted {frame + 1} to {longest} for a {name}: {frame} stand around "
                f"every text, and the graph takes {longest}"
            )
        role = replace(role, max_tokens=int(max_tokens))
    if expand_to is not None:
        if role.expansion is None:
            raise InputError(f"expand_to: found {expand_to!r}, and this model does not expand a {name}; leave it out")
        if expand_to != 0 and (not checks.is_count(expand_to) or expand_to > longest):
            raise InputError(f"expand_to: found {expand_to!r}, wanted 0 (no expansion) to the graph's {longest}")
        role = replace(role, expansion=replace(role.expansion, to_tokens=int(expand_to)))
    return role
