"""How much each address has of something, where who has nothing is forgotten. No network here."""

from collections import Counter


class PerSite:
    """Counts, each of one site (see bounds.py); None is a site that is not counted."""

    def __init__(self) -> None:
        self._of_site: Counter[str] = Counter()

    def count(self, site: str) -> int:
        """Return how much a site has."""
        return self._of_site[site]

    def has(self, site: str, most: int) -> bool:
        """Say whether a site has as much as it may; 0 is no bound."""
        return bool(most) and self._of_site[site] >= most

    def more(self, site: str) -> None:
        """Count one more."""
        self._of_site[site] += 1

    def less(self, site: str | None) -> None:
        """Count one less."""
        if site is None:
            return
        self._of_site[site] -= 1
        if self._of_site[site] <= 0:
            del self._of_site[site]
