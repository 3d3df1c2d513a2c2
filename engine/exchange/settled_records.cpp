// Of a site's records: what hubs have for sure, their words on it, and what others still have to carry.
#include <algorithm>
#include <utility>

#include "engine/exchange/site_records.hpp"

namespace satchel::exchange {

namespace {
constexpr std::size_t kWordsHandedOnMax = 4;  // of hubs, at once: up to 400 KB each
}

// Its author, or whoever else carries the records, may not meet that hub. Words that say nothing newest go.
Result<void> SiteRecords::keep_word(const SiteId& hub, std::uint64_t sequence, ByteView word) {
    SATCHEL_TRY(const bool is_a_hub, is_hub());
    if (is_a_hub) return {};
    SATCHEL_TRY(database::Statement put,
                database_.prepare(
                    "INSERT OR REPLACE INTO acknowledgement_word (hub, sequence, word) VALUES (?, ?, ?)"));
    put.bind_blob(1, hub.view()).bind(2, static_cast<std::int64_t>(sequence)).bind_blob(3, word);
    SATCHEL_TRY_VOID(put.run());
    return database_.run(
        "DELETE FROM acknowledgement_word WHERE NOT EXISTS (SELECT 1 FROM acknowledgement AS newest "
        "WHERE newest.hub = acknowledgement_word.hub AND newest.sequence = acknowledgement_word.sequence)");
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
            words[{hub, select.integer(1)}].assign(select.blob(2).begin(), select.blob(2).end());
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
    std::size_t hubs = 0;
    SATCHEL_TRY_VOID(trust_.for_each_site([&](const trust::SiteEntry& entry) -> Result<void> {
        hubs += entry.role == trust::SiteRole::kHub && entry.state == trust::SiteState::kActive ? 1u : 0u;
        return {};
    }));
    return std::clamp<std::size_t>(root->ack_hubs, 1, std::max<std::size_t>(hubs, 1));
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
        SATCHEL_TRY(const std::optional<trust::SiteEntry> entry, trust_.site(hub));
        if (entry && entry->role == trust::SiteRole::kHub && entry->state == trust::SiteState::kActive)
            hubs.push_back(hub);
    }
}

Result<std::vector<FeedHead>> SiteRecords::settled_heads(const SiteId& site) {
    std::map<std::pair<std::uint32_t, std::array<std::uint8_t, 16>>, std::vector<FeedHead>> branches;
    SATCHEL_TRY(const std::vector<SiteId> hubs, hubs_that_acknowledged(site));
    for (const SiteId& hub : hubs) {
        SATCHEL_TRY(const std::vector<FeedHead> heads, acknowledged_by(hub, site));
        for (const FeedHead& head : heads)
            branches[{head.incarnation_number, head.incarnation_tag}].push_back(head);
    }
    SATCHEL_TRY(const std::size_t enough, hubs_needed());
    std::vector<FeedHead> settled;
    for (auto& [branch, heads] : branches) {
        if (heads.size() < enough) continue;
        std::sort(heads.begin(), heads.end(),
                  [](const FeedHead& a, const FeedHead& b) { return a.next_sequence > b.next_sequence; });
        settled.push_back(heads[enough - 1]);
    }
    return settled;
}

Result<bool> SiteRecords::is_settled(const records::OpenedSegment& opened) {
    SATCHEL_TRY(const std::vector<FeedHead> settled, settled_heads(trust::site_id_of(opened.segment.site)));
    return std::any_of(settled.begin(), settled.end(), [&](const FeedHead& head) {
        return head.incarnation_number == opened.segment.incarnation.number &&
               head.incarnation_tag == opened.segment.incarnation.tag &&
               opened.segment.first + opened.segment.events.size() <= head.next_sequence;
    });
}

// -- between sites that are no hubs -----------------------------------------------------------------

Result<void> SiteRecords::for_each_unsettled_feed(
    const std::function<Result<void>(const SiteId&, std::span<const FeedHead>)>& each) {
    return for_each_feed([&](const SiteId& site, std::span<const FeedHead> heads) -> Result<void> {
        SATCHEL_TRY(const std::vector<FeedHead> settled, settled_heads(site));
        const bool all = std::all_of(heads.begin(), heads.end(), [&](const FeedHead& head) {
            return std::find(settled.begin(), settled.end(), head) != settled.end();
        });
        return all ? Result<void>() : each(site, heads);
    });
}

Result<void> SiteRecords::unsettled_after(
    const SiteId& site, std::span<const SegmentId> known,
    const std::function<Result<bool>(const SegmentId&, ByteView)>& sink) {
    SATCHEL_TRY(const std::vector<FeedHead> settled, settled_heads(site));
    std::vector<SegmentId> there;
    for (const FeedHead& head : settled) there.push_back(head.head);
    std::uint64_t unsettled = 0, lacking = 0;
    const auto add_to = [](std::uint64_t& sum) {
        return [&sum](const SegmentId&, ByteView segment) -> Result<bool> {
            sum += segment.size();
            return true;
        };
    };
    SATCHEL_TRY_VOID(segments_after(site, there, add_to(unsettled)));
    there.insert(there.end(), known.begin(), known.end());
    SATCHEL_TRY_VOID(segments_after(site, there, add_to(lacking)));
    std::uint64_t carried = unsettled - std::min(unsettled, lacking);
    return segments_after(site, there, [&](const SegmentId& id, ByteView segment) -> Result<bool> {
        carried += segment.size();
        return carried <= kCustodyFeedMax ? sink(id, segment) : Result<bool>(false);
    });
}

}  // namespace satchel::exchange
