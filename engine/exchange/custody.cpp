#include "engine/exchange/custody.hpp"

#include <algorithm>
#include <string>

#include "engine/base/check.hpp"

namespace satchel::exchange {

namespace {

SegmentId id_at(const database::Statement& row, int column) {
    SegmentId id;
    SATCHEL_CHECK(row.blob(column).size() == id.digest.size());
    std::copy(row.blob(column).begin(), row.blob(column).end(), id.digest.begin());
    return id;
}

FeedHead head_at(const database::Statement& row) {
    FeedHead head;
    head.head = id_at(row, 0);
    head.incarnation_number = static_cast<std::uint32_t>(row.integer(1));
    SATCHEL_CHECK(row.blob(2).size() == head.incarnation_tag.size());
    std::copy(row.blob(2).begin(), row.blob(2).end(), head.incarnation_tag.begin());
    head.next_sequence = static_cast<std::uint64_t>(row.integer(3));
    return head;
}

constexpr char kHeads[] = "SELECT id, incarnation, tag, max(first + count), site FROM custody ";
constexpr char kByBranch[] = "GROUP BY site, incarnation, tag";

}  // namespace

// The first of a branch may begin anywhere, for hubs have what was before it. Then each goes on where the
// last one ended, so that a head says all that is here.
Result<bool> Custody::put(const records::OpenedSegment& opened, ByteView segment) {
    const records::Segment& put = opened.segment;
    const SegmentId id{opened.id.digest};
    SATCHEL_TRY(const bool is_here, has(id));
    if (is_here) return false;
    SATCHEL_TRY(const std::uint64_t all, total());
    SATCHEL_TRY(OfSite* const of_site, load(trust::site_id_of(put.site)));
    if (all + segment.size() > kCustodyMax || of_site->bytes + segment.size() > kCustodyFeedMax) return false;
    const FeedHead head{put.incarnation.number, put.incarnation.tag, put.first + put.events.size(), id};
    const auto branch = std::find_if(of_site->heads.begin(), of_site->heads.end(),
                                     [&](const FeedHead& each) { return same_branch(each, head); });
    if (branch == of_site->heads.end()) {
        if (of_site->heads.size() >= kCustodyBranchesMax) return false;
        of_site->heads.push_back(head);
    } else {
        const bool goes_on =
            put.previous && put.previous->digest == branch->head.digest && put.first == branch->next_sequence;
        if (!goes_on) return false;
        *branch = head;
    }
    of_site->bytes += segment.size();
    *total_ += segment.size();
    held_.emplace(id, Held{opened, {segment.begin(), segment.end()}});
    if (held_.size() >= kCustodyHeldMax) SATCHEL_TRY_VOID(commit());
    return true;
}

Result<Custody::OfSite*> Custody::load(const SiteId& site) {
    if (const auto known = of_site_.find(site); known != of_site_.end()) return &known->second;
    OfSite sums;
    SATCHEL_TRY(sums.heads, heads_of(site));
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT coalesce(sum(bytes), 0) FROM custody WHERE site = ?"));
    select.bind_blob(1, site.view());
    SATCHEL_TRY_VOID(select.step());
    sums.bytes = static_cast<std::uint64_t>(select.integer(0));
    if (of_site_.size() >= kCustodySitesSummed) of_site_.clear();
    return &of_site_.emplace(site, std::move(sums)).first->second;
}

Result<std::uint64_t> Custody::total() {
    if (total_) return *total_;
    SATCHEL_TRY_VOID(commit());
    SATCHEL_TRY(database::Statement select, database_.prepare("SELECT coalesce(sum(bytes), 0) FROM custody"));
    SATCHEL_TRY_VOID(select.step());
    total_ = static_cast<std::uint64_t>(select.integer(0));
    return *total_;
}

void Custody::forget_sums() {
    of_site_.clear();
    total_.reset();
}

Result<void> Custody::insert(const Held& held) {
    const records::Segment& segment = held.opened.segment;
    SATCHEL_TRY(database::Statement put,
                database_.prepare("INSERT OR IGNORE INTO custody (id, site, incarnation, tag, first, count, "
                                  "bytes, segment) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
    put.bind_blob(1, held.opened.id.view())
        .bind_blob(2, trust::site_id_of(segment.site).view())
        .bind(3, std::int64_t{segment.incarnation.number})
        .bind_blob(4, segment.incarnation.tag)
        .bind(5, static_cast<std::int64_t>(segment.first))
        .bind(6, static_cast<std::int64_t>(segment.events.size()));
    put.bind(7, static_cast<std::int64_t>(held.bytes.size())).bind_blob(8, held.bytes);
    return put.run();
}

Result<void> Custody::commit() {
    if (held_.empty()) return {};
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    for (const auto& [id, held] : held_) SATCHEL_TRY_VOID(insert(held));
    SATCHEL_TRY_VOID(transaction.commit());
    held_.clear();
    return {};
}

Result<bool> Custody::has(const SegmentId& id) {
    if (held_.contains(id)) return true;
    SATCHEL_TRY(database::Statement select, database_.prepare("SELECT 1 FROM custody WHERE id = ?"));
    select.bind_blob(1, id.view());
    return select.step();
}

Result<std::vector<FeedHead>> Custody::heads_of(const SiteId& site) {
    SATCHEL_TRY_VOID(commit());
    SATCHEL_TRY(database::Statement select,
                database_.prepare(std::string(kHeads) + "WHERE site = ? " + kByBranch));
    select.bind_blob(1, site.view());
    std::vector<FeedHead> heads;
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) break;
        heads.push_back(head_at(select));
    }
    std::sort(heads.begin(), heads.end());
    return heads;
}

Result<std::map<SiteId, std::vector<FeedHead>>> Custody::feeds() {
    SATCHEL_TRY_VOID(commit());
    SATCHEL_TRY(database::Statement select, database_.prepare(std::string(kHeads) + kByBranch));
    std::map<SiteId, std::vector<FeedHead>> feeds;
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) break;
        feeds[SiteId{id_at(select, 4).digest}].push_back(head_at(select));
    }
    for (auto& [site, heads] : feeds) std::sort(heads.begin(), heads.end());
    return feeds;
}

Result<void> Custody::segments_after(const SiteId& site, std::span<const SegmentId> known,
                                     const std::function<Result<bool>(const SegmentId&, ByteView)>& sink) {
    SATCHEL_TRY_VOID(commit());
    SATCHEL_TRY(database::Statement order,
                database_.prepare("SELECT id, incarnation, tag, first FROM custody WHERE site = ? "
                                  "ORDER BY incarnation, tag, first"));
    order.bind_blob(1, site.view());
    std::vector<FeedHead> segments;  // by where each begins
    while (true) {
        SATCHEL_TRY(const bool row, order.step());
        if (!row) break;
        segments.push_back(head_at(order));
    }
    std::vector<bool> is_there(segments.size());
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (std::find(known.begin(), known.end(), segments[i].head) == known.end()) continue;
        for (std::size_t before = i + 1; before > 0 && same_branch(segments[before - 1], segments[i]);
             --before)
            is_there[before - 1] = true;
    }
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (is_there[i]) continue;
        const FeedHead& segment = segments[i];
        SATCHEL_TRY(database::Statement select,
                    database_.prepare("SELECT segment FROM custody WHERE id = ?"));
        select.bind_blob(1, segment.head.view());
        SATCHEL_TRY(const bool found, select.step());
        if (!found) continue;
        SATCHEL_TRY(const bool go_on, sink(segment.head, select.blob(0)));
        if (!go_on) return {};
    }
    return {};
}

Result<void> Custody::drop_all_of(const SiteId& site) {
    SATCHEL_TRY_VOID(commit());
    forget_sums();
    SATCHEL_TRY(database::Statement drop, database_.prepare("DELETE FROM custody WHERE site = ?"));
    drop.bind_blob(1, site.view());
    return drop.run();
}

Result<void> Custody::drop_up_to(const SiteId& site, std::span<const FeedHead> heads) {
    forget_sums();
    SATCHEL_TRY(database::Statement drop,
                database_.prepare("DELETE FROM custody WHERE site = ?1 AND incarnation = ?2 AND tag = ?3 AND "
                                  "first + count <= ?4"));
    for (const FeedHead& head : heads) {
        drop.reset();
        drop.bind_blob(1, site.view())
            .bind(2, std::int64_t{head.incarnation_number})
            .bind_blob(3, head.incarnation_tag)
            .bind(4, static_cast<std::int64_t>(head.next_sequence));
        SATCHEL_TRY_VOID(drop.run());
    }
    return {};
}

Result<bool> Custody::has_room() {
    SATCHEL_TRY(const std::uint64_t bytes, total());
    return bytes + kSegmentMax <= kCustodyMax;
}

Result<CustodyUse> Custody::use() {
    SATCHEL_TRY_VOID(commit());
    SATCHEL_TRY(
        database::Statement select,
        database_.prepare("SELECT count(DISTINCT site), count(*), coalesce(sum(bytes), 0) FROM custody"));
    SATCHEL_TRY(const bool found, select.step());
    SATCHEL_CHECK(found);
    return CustodyUse{static_cast<std::uint64_t>(select.integer(0)),
                      static_cast<std::uint64_t>(select.integer(1)),
                      static_cast<std::uint64_t>(select.integer(2))};
}

}  // namespace satchel::exchange
