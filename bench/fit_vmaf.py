"""Fits the engine's estimate of VMAF (engine/src/media/vmaf_model.cpp) and says how far it is off.

`python -m bench.fit_vmaf` prints the coefficients to put there, and the error on each clip by a
model fitted on the other clips alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.vmaf_points import Point, points

_RIDGE = 1e-4  # keeps terms that say nearly the same from cancelling each other in large numbers
_SATURATED = 99.9  # VMAF is cut at 100: such points do not tell how good they are
Row = list[float]


def terms(point: Point) -> Row:
    """As in `estimate_vmaf`."""
    return [1.0, *point.information, point.detail, point.detail**2, min(point.motion, 20.0)]


def _solve(matrix: list[Row], right: Row) -> Row:
    """Gaussian elimination with pivots."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(size):
            if row != column:
                factor = rows[row][column] / rows[column][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [rows[n][size] / rows[n][n] for n in range(size)]


def fit(material: Sequence[Point]) -> Row:
    """Least squares."""
    usable = [point for point in material if point.vmaf < _SATURATED]
    table = [terms(point) for point in usable]
    size = len(table[0])
    matrix = [[sum(row[i] * row[j] for row in table) for j in range(size)] for i in range(size)]
    for n in range(1, size):
        matrix[n][n] += _RIDGE
    right = [
        sum(row[i] * point.vmaf for row, point in zip(table, usable, strict=True))
        for i in range(size)
    ]
    return _solve(matrix, right)


def estimate(coefficients: Row, point: Point) -> float:
    value = sum(a * b for a, b in zip(coefficients, terms(point), strict=True))
    return min(100.0, max(0.0, value))


def _errors(coefficients: Row, material: Sequence[Point]) -> Row:
    return [estimate(coefficients, point) - point.vmaf for point in material]


def _line(name: str, errors: Row) -> str:
    count = len(errors)
    mean = sum(errors) / count
    absolute = sum(abs(error) for error in errors) / count
    worst = max(abs(error) for error in errors)
    figures = f"mean {mean:+5.2f}  absolute {absolute:5.2f}  worst {worst:5.2f}"
    return f"{name:<22} {count:5} points  {figures}"


def main() -> None:
    material = points()
    held_out: Row = []
    for clip in sorted({point.clip for point in material}):
        others = fit([point for point in material if point.clip != clip])
        errors = _errors(others, [point for point in material if point.clip == clip])
        print(_line(f"{clip}, held out", errors))
        held_out += errors
    print(_line("all, held out", held_out))
    coefficients = fit(material)
    print(_line("all, fitted", _errors(coefficients, material)))
    names = ("constant", *(f"information {n}" for n in range(4)), "detail", "detail²", "motion")
    for name, value in zip(names, coefficients, strict=True):
        print(f"{name:<16} {value:10.4f}")


if __name__ == "__main__":
    main()
