#include "simulations/clones_checks.hpp"

#include <algorithm>

#include "engine/records/kinds.hpp"
#include "engine/records/segment.hpp"

namespace satchel::simulations {

void ClonesChecks::check_held(CloneBox& box) {
    const auto counted = box.site->counted(false);
    if (!findings_.holds("durability", "read the records of " + box.site->name(), counted)) return;
    Serials missing;
    for (const std::int64_t serial : box.held)
        if (!counted->contains(serial)) missing.insert(serial);
    if (!missing.empty())
        findings_.violate("durability", box.site->name() + " lacks " + std::to_string(*missing.begin()) +
                                            " and " + std::to_string(missing.size() - 1) + " more");
    check_once(box, *counted);
}

std::uint64_t ClonesChecks::check_once(CloneBox& box, const std::multiset<std::int64_t>& counted) {
    std::uint64_t doubled = 0;
    for (auto at = counted.begin(); at != counted.end(); at = counted.upper_bound(*at)) {
        if (counted.count(*at) > 1) {
            ++doubled;
            findings_.violate("exactly-once", box.site->name() + " counts twice: " + std::to_string(*at));
        }
        if (!past_.who_said.contains(*at))
            findings_.violate("exactly-once",
                              box.site->name() + " counts what nobody said: " + std::to_string(*at));
    }
    return doubled;
}

void ClonesChecks::check_report(CloneBox& hub, const Serials& there) {
    const auto reported = hub.site->reported();
    if (!findings_.holds("branches", "make the report", reported)) return;
    std::int64_t headcount = 0;
    for (const std::int64_t serial : there) headcount += serial;
    if (reported->viewings != static_cast<std::int64_t>(there.size()) || reported->headcount != headcount)
        findings_.violate("branches", "the report says " + std::to_string(reported->viewings) +
                                          " viewings and " + std::to_string(reported->headcount) +
                                          " heads, not " + std::to_string(there.size()) + " and " +
                                          std::to_string(headcount));
}

// Which lines each chain of segments at the hub holds something of.
Result<ClonesChecks::Chains> ClonesChecks::chains_of(const SiteId& site) {
    Chains chains;
    SATCHEL_TRY_VOID(hub().records().segments_after(
        site, {}, [&](const records::SegmentId& id, ByteView bytes) -> Result<bool> {
            SATCHEL_TRY(const records::OpenedSegment opened, records::open_segment(bytes, hub().network()));
            std::set<LineId> lines;
            if (opened.segment.previous) lines = chains[*opened.segment.previous];
            for (const ByteBuffer& encoded : opened.segment.events) {
                SATCHEL_TRY(const records::Event event, records::decode_event(encoded));
                const records::Kind* const kind = records::find_kind(event.kind);
                const records::FieldSpec* const field = kind ? kind->field("headcount") : nullptr;
                const auto serial = field ? event.integer(field->number) : std::nullopt;
                const auto line = serial ? past_.lines.line_of(*serial) : std::nullopt;
                if (line) lines.insert(*line);
            }
            chains[id] = std::move(lines);
            return true;
        }));
    return chains;
}

std::uint64_t ClonesChecks::check_branches(std::size_t who, const Serials& there) {
    const std::set<LineId> ends = past_.lines.ends(past_.roots[who], there);
    if (ends.empty()) return 0;
    const std::string name = "site " + std::to_string(who);
    const SiteId site = id_of(who);
    const auto heads = hub().records().heads_of(site);
    const auto chains = chains_of(site);
    if (!findings_.holds("branches", "heads of " + name, heads) ||
        !findings_.holds("branches", "chains of " + name, chains))
        return 0;
    std::set<LineId> listed;
    for (const records::FeedHead& head : *heads) {
        const auto chain = chains->find(head.head);
        if (chain == chains->end()) continue;
        std::set<LineId> below;
        std::set_intersection(chain->second.begin(), chain->second.end(), ends.begin(), ends.end(),
                              std::inserter(below, below.end()));
        if (below.size() > 1)
            findings_.violate("branches", name + ": ends of a fork under one head, " + said_on(below, there));
        listed.insert(below.begin(), below.end());
    }
    if (listed != ends)
        findings_.violate("branches", name + ": " + std::to_string(listed.size()) + " of " +
                                          std::to_string(ends.size()) + " ends of its fork are listed");
    return ends.size() > 1 ? ends.size() : 0;
}

std::string ClonesChecks::said_on(const std::set<LineId>& lines, const Serials& there) const {
    std::string words;
    for (const LineId line : lines) {
        words += words.empty() ? "one said" : "; another said";
        for (const std::int64_t serial : there)
            if (past_.lines.line_of(serial) == line) words += " " + std::to_string(serial);
    }
    return words;
}

// By the roster: perhaps no box of it is left, as when another's folder was copied over the last.
SiteId ClonesChecks::id_of(std::size_t who) {
    const std::string name = who == kHub ? "hub" : "village-" + std::to_string(who);
    SiteId id;
    findings_.holds("branches", "read the roster",
                    hub().trust().for_each_site([&](const trust::SiteEntry& entry) -> Result<void> {
                        if (entry.name == name) id = entry.id;
                        return {};
                    }));
    return id;
}

void ClonesChecks::check_box(CloneBox& box, const Serials& there) {
    const auto counted = box.site->counted(true);
    if (!findings_.holds("convergence", "read the records of " + box.site->name(), counted)) return;
    Serials expected;
    for (const std::int64_t serial : there)
        if (past_.who_said.at(serial) == box.who) expected.insert(serial);
    if (Serials(counted->begin(), counted->end()) != expected)
        findings_.violate("convergence", box.site->name() + " and the hub count its records differently");
    const SiteId self = box.site->site().self().id;
    const auto here = box.site->site().records().heads_of(self);
    const auto at_hub = hub().records().heads_of(self);
    if (!here.has_value() || !at_hub.has_value() || *here != *at_hub)
        findings_.violate("convergence", box.site->name() + " and the hub hold other heads");
    const auto damaged = [&](const Error& error) {
        findings_.violate("integrity", box.site->name() + ": " + words_of(error));
    };
    findings_.holds("integrity", "verify records of " + box.site->name(),
                    box.site->site().records().verify(damaged));
}

void ClonesChecks::check_noticed() {
    for (std::size_t i = 1; i < past_.boxes.size(); ++i)
        for (std::size_t j = i + 1; j < past_.boxes.size(); ++j) {
            const CloneBox &one = *past_.boxes[i], &other = *past_.boxes[j];
            if (one.who == other.who && past_.lines.have_diverged(one.line, other.line) &&
                one.site->site().records().branch().incarnation ==
                    other.site->site().records().branch().incarnation)
                findings_.violate("noticed",
                                  one.site->name() + " and " + other.site->name() + " number alike");
        }
}

}  // namespace satchel::simulations
