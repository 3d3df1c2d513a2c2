// Of a site's records: what hubs have for sure, their words on it, and what others still have to carry.
#include <algorithm>
#include <utility>

#include "engine/exchange/site_records.hpp"

namespace satchel::exchange {

namespace {
constexpr std::size_t kWordsHandedOnMax = 4;  // of hubs, at once: up to 400 KB each
constexpr std::int64_t kWordsOfHubMax = 64;   // kept: most are of a few hundred bytes

bool covers(const std::vector<FeedHead>& settled, const FeedHead& head) {
    return std::any_of(settled.begin(), settled.end(), [&](const FeedHead& sure) {
        return same_branch(sure, head) && head.next_sequence <= sure.next_sequence;
    });
}

}  // namespace

// Its author, or whoever else carries the records, may not meet that hub. Words that say nothing newest go.
Result<void> SiteRecords::keep_word(const SiteId& hub, std::uint64_t sequence, ByteView word) {
    SATCHEL_TRY(const bool is_a_hub, is_hub());
    if (is_a_hub) return {};
    SATCHEL_TRY(database::Statement put,
                database_.prepare(
                    "INSERT OR IGNORE INTO acknowledgement_word (hub, sequence, word) VALUES (?, ?, ?)"));
    put.bind_blob(1, hub.view()).bind(2, static_cast<std::int64_t>(sequence)).bind_blob(3, word);
    SATCHEL_TRY_VOID(put.run());
    if (database_.rows_changed() == 0) return {};
    SATCHEL_TRY_VOID(database_.run(
        "DELETE FROM acknowledgement_word WHERE NOT EXISTS (SELECT 1 FROM acknowledgement AS newest "
        "WHERE newest.hub = acknowledgement_word.hub AND newest.sequence = acknowledgement_word.sequence)"));
    SATCHEL_TRY(
        database::Statement bound,
        database_.prepare("DELETE FROM acknowledgement_word WHERE hub = ?1 AND sequence NOT IN (SELECT "
                          "sequence FROM acknowledgement_word WHERE hub = ?1 ORDER BY sequence DESC "
                          "LIMIT ?2)"));
    bound.bind_blob(1, hub.view()).bind(2, kWordsOfHubMax);
    return bound.run();
}

Result<std::vector<ByteBuffer>> SiteRecords::words_on(std::span<const SiteId> sites) {
    std::map<std::pair<SiteId, std::int64_t>, ByteBuffer> words;
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT hub, sequence, word FROM acknowledgement_word JOIN acknowledgement "
                                  "USING (hub, sequence) WHERE site = ?"));
    for (const SiteId& site : sites) {
        select.reset();
        select.bind_blob(1, site.view());
        while (words.size() < kWordsHandedOnMax) {
            SATCHEL_TRY(const bool row, select.step());
            if (!row) break;
            SiteId hub;
            std::copy(select.blob(0).begin(), select.blob(0).end(), hub.digest.begin());
            SATCHEL_TRY(const bool counts, is_active_hub(hub));
            if (counts) words[{hub, select.integer(1)}].assign(select.blob(2).begin(), select.blob(2).end());
        }
    }
    std::vector<ByteBuffer> list;
    for (auto& [of, word] : words) list.push_back(std::move(word));
    return list;
}

// As many hubs as the root demands, or as there are.
Result<std::size_t> SiteRecords::hubs_needed() {
    SATCHEL_TRY(const std::optional<trust::Root> root, trust_.current_root());
    if (!root || root->ack_hubs <= 1) return std::size_t{1};
    SATCHEL_TRY(const std::size_t hubs, trust_.active_hubs());
    return std::clamp<std::size_t>(root->ack_hubs, 1, std::max<std::size_t>(hubs, 1));
}

Result<bool> SiteRecords::is_active_hub(const SiteId& site) {
    SATCHEL_TRY(const std::optional<trust::SiteEntry> entry, trust_.site(site));
    return entry && entry->role == trust::SiteRole::kHub && entry->state == trust::SiteState::kActive;
}

Result<std::vector<SiteId>> SiteRecords::hubs_that_acknowledged(const SiteId& site) {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT hub FROM acknowledgement WHERE site = ?"));
    select.bind_blob(1, site.view());
    std::vector<SiteId> hubs;
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return hubs;
        SiteId hub;
        std::copy(select.blob(0).begin(), select.blob(0).end(), hub.digest.begin());
        SATCHEL_TRY(const bool counts, is_active_hub(hub));
        if (counts) hubs.push_back(hub);
    }
}

Result<std::vector<FeedHead>> SiteRecords::settled_heads(const SiteId& site) {
    SATCHEL_TRY(const std::vector<SiteId> hubs, hubs_that_acknowledged(site));
    std::vector<std::vector<FeedHead>> branches;  // of each branch what every hub has at most, a head a hub
    for (const SiteId& hub : hubs) {
        SATCHEL_TRY(const std::vector<FeedHead> heads, acknowledged_by(hub, site));
        std::vector<FeedHead> furthest;
        for (const FeedHead& head : heads) {
            const auto other = std::find_if(furthest.begin(), furthest.end(),
                                            [&](const FeedHead& each) { return same_branch(each, head); });
            if (other == furthest.end())
                furthest.push_back(head);
            else if (other->next_sequence < head.next_sequence)
                *other = head;
        }
        for (const FeedHead& head : furthest) {
            const auto branch = std::find_if(branches.begin(), branches.end(), [&](const auto& each) {
                return same_branch(each.front(), head);
            });
            if (branch == branches.end())
                branches.push_back({head});
            else
                branch->push_back(head);
        }
    }
    SATCHEL_TRY(const std::size_t enough, hubs_needed());
    std::vector<FeedHead> settled;
    for (std::vector<FeedHead>& heads : branches) {
        if (heads.size() < enough) continue;
        std::sort(heads.begin(), heads.end(),
                  [](const FeedHead& a, const FeedHead& b) { return a.next_sequence > b.next_sequence; });
        settled.push_back(heads[enough - 1]);
    }
    return settled;
}

Result<bool> SiteRecords::is_settled(const records::OpenedSegment& opened) {
    const records::Segment& segment = opened.segment;
    SATCHEL_TRY(const std::vector<FeedHead> settled, settled_heads(trust::site_id_of(segment.site)));
    const FeedHead end{segment.incarnation.number, segment.incarnation.tag,
                       segment.first + segment.events.size(), SegmentId{opened.id.digest}};
    return covers(settled, end);
}

// -- between sites that are no hubs -----------------------------------------------------------------

Result<void> SiteRecords::for_each_unsettled_feed(
    const std::function<Result<void>(const SiteId&, std::span<const FeedHead>)>& each) {
    return for_each_feed([&](const SiteId& site, std::span<const FeedHead> heads) -> Result<void> {
        SATCHEL_TRY(const std::vector<FeedHead> settled, settled_heads(site));
        const bool all = std::all_of(heads.begin(), heads.end(),
                                     [&](const FeedHead& head) { return covers(settled, head); });
        return all ? Result<void>() : each(site, heads);
    });
}

// What hubs have by number is known by the segments that end there, and none of it is read. Of the rest at
// most kCustodyFeedMax is read, twice.
Result<void> SiteRecords::unsettled_after(
    const SiteId& site, std::span<const SegmentId> known,
    const std::function<Result<bool>(const SegmentId&, ByteView)>& sink) {
    SATCHEL_TRY(const std::vector<FeedHead> settled, settled_heads(site));
    std::vector<SegmentId> sure;
    for (const FeedHead& head : settled) {
        SATCHEL_TRY(const std::vector<records::SegmentId> covered,
                    records_.segments_up_to(site, {head.incarnation_number, head.incarnation_tag},
                                            head.next_sequence));
        for (const records::SegmentId& id : covered) sure.push_back(SegmentId{id.digest});
    }
    // The other side carries up to the last of these that it knows.
    std::uint64_t passed = 0, carried = 0;
    SATCHEL_TRY_VOID(segments_after(site, sure, [&](const SegmentId& id, ByteView segment) -> Result<bool> {
        passed += segment.size();
        if (std::find(known.begin(), known.end(), id) != known.end()) carried = passed;
        return passed <= kCustodyFeedMax;
    }));
    sure.insert(sure.end(), known.begin(), known.end());
    return segments_after(site, sure, [&](const SegmentId& id, ByteView segment) -> Result<bool> {
        carried += segment.size();
        return carried <= kCustodyFeedMax ? sink(id, segment) : Result<bool>(false);
    });
}

}  // namespace satchel::exchange
