#!/usr/bin/env python3
"""Scores of pairwise comparison by other people's programs: Bradley–Terry by choix, Wilson's interval by scipy.

Reads a JSON list of instances from standard input, each {"wins": [[winner, loser, times], ...]} with any numbers as
ideas, and {"shares": [[wins, comparisons], ...]}. Writes, for each instance, the groups that comparisons link, the
largest first, each with whether its wins link all ideas both ways and the strengths by idea; and the intervals.

Half a win is added to both sides of every compared pair of a group that is not linked both ways. Nothing here is
taken from the implementation that is checked.
"""

import json
import sys

import choix
import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.stats import binomtest


def groups(wins):
    ideas = sorted({idea for winner, loser, _ in wins for idea in (winner, loser)})
    place = {idea: index for index, idea in enumerate(ideas)}
    matrix = np.zeros((len(ideas), len(ideas)))
    for winner, loser, times in wins:
        matrix[place[winner], place[loser]] += times
    count, label = connected_components(matrix + matrix.T, directed=False)
    found = []
    for one in range(count):
        members = np.flatnonzero(label == one)
        own = matrix[np.ix_(members, members)]
        strong, _ = connected_components(own, directed=True, connection="strong")
        if strong > 1:
            own = own + 0.5 * ((own + own.T) > 0)
        params = choix.ilsr_pairwise_dense(own, max_iter=5000, tol=1e-13)
        strengths = np.exp(params - params.max())
        strengths /= strengths.sum()
        named = {str(ideas[member]): float(strength) for member, strength in zip(members, strengths)}
        found.append({"provisional": bool(strong > 1), "strengths": named})
    found.sort(key=lambda group: (-len(group["strengths"]), min(map(int, group["strengths"]))))
    return found


def interval(wins, comparisons):
    bounds = binomtest(wins, comparisons).proportion_ci(confidence_level=0.95, method="wilson")
    return [float(bounds.low), float(bounds.high)]


def main():
    asked = json.load(sys.stdin)
    answer = []
    for instance in asked:
        answer.append(
            {
                "groups": groups(instance["wins"]),
                "intervals": [interval(wins, comparisons) for wins, comparisons in instance["shares"]],
            }
        )
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
