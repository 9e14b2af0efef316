#!/usr/bin/env python3
"""Recomputes the lots of an election from its published result, and from nothing else.

Reads the JSON of GetElectionResult (as any gRPC client prints it) from a file or standard input:

    grpcurl ... osallisuus.forums.v1.ElectionsService/GetElectionResult | python3 tests/lots.py

Checks, for every municipality with lots, that the revealed seed is the one committed to when the election was
announced, that the order drawn is the one the seed, the witness's number and the candidates' numbers give, and, where
the approvals are public, that elected and deputies follow from approvals and lots. Exit code 0 if everything holds.
"""

import hashlib
import json
import sys


def sha256(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def get(message, snake, default=None):
    """A field by either of its JSON names; protobuf leaves out fields that are zero or empty."""
    first, *rest = snake.split("_")
    camel = first + "".join(word.capitalize() for word in rest)
    for name in (camel, snake):
        if message.get(name) is not None:
            return message[name]
    return default


def faults(result):
    """Yields what does not hold, a sentence each."""
    election = get(result, "election", {})
    election_id = get(election, "election_id", "")
    published = get(election, "lots_commitment", "")
    for place in get(result, "constituencies", []):
        lots = get(place, "lots")
        if not lots:
            continue
        municipality = get(place, "municipality", "")
        seed = get(lots, "seed", "")
        witness = get(lots, "witness_number", "")
        seats = int(get(place, "seats", 0))

        if sha256("osallisuus-lots-v1|commit|" + seed) != published:
            yield f"{municipality}: the seed is not the one that was committed to"
        if get(lots, "commitment", "") != published:
            yield f"{municipality}: the lots name another commitment than the election"

        def lot(number):
            parts = ["osallisuus-lots-v1", "draw", seed, election_id, municipality, witness, str(number)]
            return sha256("|".join(parts))

        drawn = [int(number) for number in get(lots, "order", [])]
        if drawn != sorted(drawn, key=lot):
            yield f"{municipality}: the order drawn is not the order of the lots"

        elected = {int(one["number"]) for one in get(place, "elected_candidates", [])}
        seats_left = int(get(lots, "seats_left", 0))
        if elected and drawn and {n for n in drawn if n in elected} != set(drawn[:seats_left]):
            yield f"{municipality}: the first {seats_left} drawn did not get the seats left"

        tally = {int(line["number"]): int(get(line, "approvals", 0)) for line in get(place, "tally", [])}
        if tally:
            ranking = sorted(tally, key=lambda number: (-tally[number], lot(number)))
            if elected != set(ranking[:seats]):
                yield f"{municipality}: the elected are not those with the most approvals and the first lots"
            if [int(n) for n in get(place, "deputy_numbers", [])] != ranking[seats:]:
                yield f"{municipality}: the deputies are not in the order of approvals and lots"


def main():
    source = open(sys.argv[1], encoding="utf-8") if len(sys.argv) > 1 else sys.stdin
    with source:
        result = json.load(source)
    found = list(faults(result))
    for fault in found:
        print(fault)
    drawn = [get(place, "municipality") for place in get(result, "constituencies", []) if get(place, "lots")]
    if not found:
        print(f"lots hold in {', '.join(drawn)}" if drawn else "no lots were drawn")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
