"""Joining records with mounts, the collector's choice, and the words of descriptions."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from cachekey.builder.buildx import _ago, _duration, _policies, size_of
from cachekey.builder.collector import collected, threats
from cachekey.builder.descriptions import go_unquote, read_description
from cachekey.builder.join import duplicates, join
from cachekey.builder.places import Place, places
from cachekey.builder.records import Builder, Policy, Usage, UsageRecord, names_caches, when
from cachekey.record import replace
from cachekey.syntax.dockerfile.go import go_quote
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings

NOW = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
HERE = Builder("b", "buildkitd", "0.34.2", "test")


def wanted(text: str, path: str = "Dockerfile", **settings: str) -> list[Place]:
    project = Project(Settings(**settings))  # type: ignore[arg-type]
    document = project.add(path, text)
    assert document is not None
    return list(places(document))


def cache(ident: str, name: str, parents: tuple[str, ...] = (), **more: object) -> UsageRecord:
    text = f"cached mount /d from exec /bin/sh -c x with id {go_quote(name)}"
    return UsageRecord(ident, "exec.cachemount", text, 10, parents=parents, **more)  # type: ignore[arg-type]


def usage(*records: UsageRecord, names: bool = True) -> Usage:
    return Usage(HERE, records, (), names)


OWNER = UsageRecord("o", "regular", "[internal] setting cache mount permissions", 1)
FROM = "FROM x\nRUN --mount=type=cache,"


@pytest.mark.parametrize(
    "name", ['/a"b', "/a\nb", "/é", "/\u00c3\u0083", "/\x7f\x01", "/😀", "/a\\n"]
)
def test_names_come_back_as_they_were(name: str) -> None:
    text = f"cached mount /a b from exec sh -c 'x with id \"y\"' with id {go_quote(name)}"
    said = read_description(text, True)
    assert (said.target, said.name) == ("/a b", name)
    assert said.command == "sh -c 'x with id \"y\"'"


def test_bytes_that_are_no_text_are_kept() -> None:
    assert go_unquote("\\xff\\U0001f600\\q") == "\udcff😀\\q"


def test_what_is_described_otherwise_is_no_error() -> None:
    for text in ("", "cached mount ", 'cached mount with id "', 'x with id "y"'):
        read_description(text, True)


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ("target=/c", "//c"),
        ("id=a,target=/c", "/a"),
        ("target=c", "/c"),
        ("id=é,target=/c", "/Ã©"),
    ],
)
def test_a_record_is_found_by_its_name(flags: str, name: str) -> None:
    found = join(usage(cache("1", name)), wanted(f"{FROM}{flags} x"))
    assert [len(item.places) for item in found.caches] == [1]
    assert found.caches[0].match == "exact"
    assert found.missing == ()


def test_an_open_key_is_named_by_its_cache_and_says_what_is_unknown() -> None:
    here = wanted("FROM x\nARG KEY\nRUN --mount=type=cache,id=k-$KEY,target=/c x\n")
    (found,) = join(usage(cache("1", "/k-v1")), here).caches
    assert (found.label, found.match) == ("k-v1", "probable")
    assert found.doubt == "the key depends on KEY, which no file here tells"
    assert [str(place.key) for place in found.places] == ["k-${KEY}"]


def test_records_without_names_that_may_be_one_cache_say_so() -> None:
    here = wanted(f"{FROM}target=/d x\n")
    texts = ("cached mount /d from exec /bin/sh -c x", "cached mount /d from exec /bin/sh -c y x")
    records = [UsageRecord(str(n), "exec.cachemount", text, 10) for n, text in enumerate(texts)]
    found = join(usage(*records, names=False), here).caches
    assert [duplicates(item) for item in found] == [
        "another record may be of this cache as well: the builder does not tell"
    ] * 2
    assert {item.doubt for item in found} == {
        "the builder tells no ids; target and command are the same"
    }


def test_another_namespace_is_another_cache() -> None:
    here = wanted(f"{FROM}id=a,target=/c x", namespace="ns")
    assert join(usage(cache("1", "ns/a")), here).missing == ()
    assert len(join(usage(cache("1", "/a")), here).missing) == 1


def test_a_base_is_not_a_plain_cache() -> None:
    plain, owned = wanted(f"{FROM}id=a,target=/d x"), wanted(f"{FROM}id=a,target=/d,uid=1 x")
    there = usage(OWNER, cache("1", "/a", ("o",)))
    assert join(there, plain).missing == tuple(plain)
    (found,) = join(there, owned).caches
    assert (found.base, found.match, len(found.places)) == ("owner", "exact", 1)


def test_copies_of_one_key_are_one_cache() -> None:
    (found,) = join(
        usage(cache("1", "/a"), cache("2", "/a")), wanted(f"{FROM}id=a,target=/d x")
    ).caches
    assert [item.id for item in found.records] == ["1", "2"]


def test_an_open_key_claims_what_it_may_be() -> None:
    here = wanted("ARG X\n" + FROM.replace("\n", "\nARG X\n", 1) + "id=a-$X,target=/d x")
    found = join(usage(cache("1", "/a-1"), cache("2", "/b-1")), here)
    assert {item.name: (item.match, len(item.places)) for item in found.caches} == {
        "/a-1": ("probable", 1),
        "/b-1": ("none", 0),
    }
    assert len(found.open) == 1


def test_without_names_target_and_command_are_compared() -> None:
    record = UsageRecord("1", "exec.cachemount", "cached mount /d from exec /bin/sh -c pip x", 1)
    text = f"{FROM}id=a,target=/d pip x\nRUN --mount=type=cache,id=b,target=/d npm\n"
    (found,) = join(usage(record, names=False), wanted(text)).caches
    assert [place.key.name.text for place in found.places] == ["a"]
    assert (found.name, found.match) == (None, "probable")


# -- the collector --------------------------------------------------------------------------------


def old(ident: str, days: float, size: int = 100, **more: object) -> UsageRecord:
    used = NOW - timedelta(days=days)
    return UsageRecord(ident, "exec.cachemount", "", size, used, used, 1, **more)  # type: ignore[arg-type]


CACHES = Policy(
    filters=("type==source.local", "type==exec.cachemount"), keep_seconds=172800, most=250
)


def taken(records: list[UsageRecord], policy: Policy) -> list[str]:
    found = collected(records, [policy], NOW)
    assert found.decided
    return [item.id for item in found.taken]


def test_the_longest_unused_goes_first_and_no_more_than_needed() -> None:
    records = [old("new", 1), old("week", 7), old("month", 30)]
    assert taken(records, CACHES) == ["month"]


def test_what_was_used_lately_or_is_in_use_stays() -> None:
    records = [old("a", 1, 500), old("b", 9, 500, in_use=True)]
    assert taken(records, CACHES) == []
    assert threats(records, [CACHES], NOW)["a"].since == NOW + timedelta(days=1)


def test_parents_go_behind_their_children() -> None:
    records = [old("parent", 30), old("child", 3, parents=("parent",))]
    assert taken(records, Policy()) == ["child", "parent"]


def test_shared_and_internal_records_need_a_rule_for_all() -> None:
    records = [old("a", 30, shared=True), UsageRecord("b", "internal", "", 1)]
    assert taken(records, Policy()) == []
    assert len(taken(records, Policy(everything=True))) == 2


def test_seldom_used_caches_go_in_front_of_older_ones() -> None:
    """Both ranks are added up: 2/4 + 3/3 for the old one, 3/4 + 2/3 for the seldom one."""
    often = replace(old("often", 30), use_count=9)
    records = [often, old("seldom", 20), replace(old("new", 10), use_count=9)]
    assert taken(records, replace(CACHES, most=150)) == ["seldom", "often"]


def test_free_space_alone_lets_go_of_one_record() -> None:
    """BuildKit keeps as much as there is, and that is not less than what there is."""
    assert taken([old("a", 30), old("b", 20)], Policy(least_free=1)) == ["a"]


def test_nothing_is_said_of_times_that_are_told_alike() -> None:
    records = [old("a", 30), old("b", 30), old("c", 10)]
    found = collected(records, [CACHES], NOW)
    assert (found.taken, found.decided) == ((), False)
    assert taken([*records, old("d", 60)], replace(CACHES, most=350)) == ["d"]


def test_nothing_is_said_near_a_limit_when_sizes_are_rounded() -> None:
    records = [old("a", 30, 100_000), old("b", 20, 100_050)]
    for most, decided in ((200_000, False), (250_000, True), (150_000, True)):
        assert collected(records, [replace(CACHES, most=most)], NOW, True).decided is decided
        assert collected(records, [replace(CACHES, most=most)], NOW).decided


def test_five_thousand_records_of_odd_names() -> None:
    names = [f'/"é\n{number}' for number in range(5000)]
    records = [
        replace(cache(str(number), name), last_used=NOW - timedelta(seconds=number), use_count=1)
        for number, name in enumerate(names)
    ]
    joined = join(usage(*records), wanted(f"{FROM}id=a,target=/c x"))
    assert [item.name for item in joined.caches if item.name in names[:3]] == sorted(names[:3])
    found = collected(records, [replace(CACHES, keep_seconds=0, most=49_000)], NOW)
    assert [item.id for item in found.taken] == [str(4999 - number) for number in range(101)]


# -- what buildx writes for people ----------------------------------------------------------------


def test_sizes_ages_and_rules_of_buildx() -> None:
    assert [size_of(text) for text in ("0B", "8.192kB", "12.3MB", "488.3MiB", "x")] == [
        0,
        8192,
        12300000,
        round(488.3 * 1024**2),
        0,
    ]
    assert _ago("About an hour ago", NOW) == NOW - timedelta(hours=1)
    assert _ago("3 weeks ago", NOW) == NOW - timedelta(weeks=3)
    assert _ago("soon", NOW) is None
    assert _duration("48h0m0s") == 172800
    text = (
        "Labels:\n a: b\nGC Policy rule#0:\n All:            false\n"
        " Filters:        type==source.local type==exec.cachemount\n"
        " Keep Duration:  48h0m0s\n Max Used Space: 488.3MiB\n"
        "GC Policy rule#1:\n All: true\nFile#x:\n All: false\n"
    )
    first, second = _policies(text)
    assert first.filters == ("type==source.local", "type==exec.cachemount")
    assert (first.keep_seconds, second.everything) == (172800, True)


def test_times_of_go() -> None:
    assert when("2026-11-27T02:31:35.446761369Z") == datetime(
        2026, 11, 27, 2, 31, 35, 446761, timezone.utc
    )
    assert [when(x) for x in (None, "", "0001-01-01T00:00:00Z", "2026-13-99T00:00:00Z")] == [
        None
    ] * 4
    assert [names_caches(x) for x in ("0.11.6", "0.12.0", "0.34.2", "dev")] == [
        False,
        True,
        True,
        True,
    ]
