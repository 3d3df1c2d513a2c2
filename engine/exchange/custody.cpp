#include "engine/exchange/custody.hpp"

#include <algorithm>
#include <optional>
#include <set>

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

constexpr char kHeads[] =
    "SELECT id, incarnation, tag, first + count, site FROM custody AS each "
    "WHERE NOT EXISTS (SELECT 1 FROM custody AS next WHERE next.previous = each.id) ";

}  // namespace

Result<bool> Custody::put(const records::OpenedSegment& opened, ByteView segment) {
    const SegmentId id{opened.id.digest};
    SATCHEL_TRY(const bool is_here, has(id));
    if (is_here) return false;
    SATCHEL_TRY(const bool follows, goes_on(opened.segment));
    if (!follows) return false;
    const SiteId site = trust::site_id_of(opened.segment.site);
    SATCHEL_TRY(const std::uint64_t of_all, bytes_of(nullptr));
    SATCHEL_TRY(const std::uint64_t of_site, bytes_of(&site));
    if (of_all + segment.size() > kCustodyMax || of_site + segment.size() > kCustodyFeedMax) return false;
    held_.emplace(id, Held{opened, {segment.begin(), segment.end()}});
    if (held_.size() >= kCustodyHeldMax) SATCHEL_TRY_VOID(commit());
    return true;
}

// The first of a branch may begin anywhere, for hubs have what was before it; then there are no gaps, so that
// a head says all that is here.
Result<bool> Custody::goes_on(const records::Segment& segment) {
    const SiteId site = trust::site_id_of(segment.site);
    bool is_first = true;
    for (const auto& [id, held] : held_) {
        const records::Segment& other = held.opened.segment;
        if (segment.previous && id.digest == segment.previous->digest) return true;
        is_first = is_first && !(other.site == segment.site && other.incarnation == segment.incarnation);
    }
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT count(*), count(*) FILTER (WHERE id = ?4) FROM custody "
                                  "WHERE site = ?1 AND incarnation = ?2 AND tag = ?3"));
    select.bind_blob(1, site.view())
        .bind(2, std::int64_t{segment.incarnation.number})
        .bind_blob(3, segment.incarnation.tag);
    if (segment.previous)
        select.bind_blob(4, segment.previous->view());
    else
        select.bind_null(4);
    SATCHEL_TRY(const bool found, select.step());
    SATCHEL_CHECK(found);
    return (is_first && select.integer(0) == 0) || select.integer(1) > 0;
}

Result<std::uint64_t> Custody::bytes_of(const SiteId* site) {
    SATCHEL_TRY(
        database::Statement select,
        database_.prepare("SELECT coalesce(sum(bytes), 0) FROM custody WHERE ?1 IS NULL OR site = ?1"));
    if (site != nullptr)
        select.bind_blob(1, site->view());
    else
        select.bind_null(1);
    SATCHEL_TRY(const bool found, select.step());
    SATCHEL_CHECK(found);
    auto bytes = static_cast<std::uint64_t>(select.integer(0));
    for (const auto& [id, held] : held_)
        if (site == nullptr || trust::site_id_of(held.opened.segment.site) == *site)
            bytes += held.bytes.size();
    return bytes;
}

Result<void> Custody::insert(const Held& held) {
    const records::Segment& segment = held.opened.segment;
    SATCHEL_TRY(database::Statement put,
                database_.prepare("INSERT OR IGNORE INTO custody (id, site, incarnation, tag, first, count, "
                                  "previous, bytes, segment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    put.bind_blob(1, held.opened.id.view())
        .bind_blob(2, trust::site_id_of(segment.site).view())
        .bind(3, std::int64_t{segment.incarnation.number})
        .bind_blob(4, segment.incarnation.tag)
        .bind(5, static_cast<std::int64_t>(segment.first))
        .bind(6, static_cast<std::int64_t>(segment.events.size()));
    if (segment.previous)
        put.bind_blob(7, segment.previous->view());
    else
        put.bind_null(7);
    put.bind(8, static_cast<std::int64_t>(held.bytes.size())).bind_blob(9, held.bytes);
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
    SATCHEL_TRY(database::Statement select, database_.prepare(std::string(kHeads) + "AND site = ?"));
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
    SATCHEL_TRY(database::Statement select, database_.prepare(kHeads));
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
                database_.prepare("SELECT id, previous FROM custody WHERE site = ? "
                                  "ORDER BY incarnation, tag, first, id"));
    order.bind_blob(1, site.view());
    std::vector<SegmentId> ids;
    std::map<SegmentId, std::optional<SegmentId>> before;
    while (true) {
        SATCHEL_TRY(const bool row, order.step());
        if (!row) break;
        ids.push_back(id_at(order, 0));
        before[ids.back()] = order.is_null(1) ? std::nullopt : std::optional(id_at(order, 1));
    }
    std::set<SegmentId> there;
    for (const SegmentId& head : known)
        for (auto at = before.find(head); at != before.end() && there.insert(at->first).second;)
            at = at->second ? before.find(*at->second) : before.end();
    for (const SegmentId& id : ids) {
        if (there.contains(id)) continue;
        SATCHEL_TRY(database::Statement select,
                    database_.prepare("SELECT segment FROM custody WHERE id = ?"));
        select.bind_blob(1, id.view());
        SATCHEL_TRY(const bool found, select.step());
        if (!found) continue;
        SATCHEL_TRY(const bool go_on, sink(id, select.blob(0)));
        if (!go_on) return {};
    }
    return {};
}

Result<void> Custody::drop_up_to(const SiteId& site, std::span<const FeedHead> heads) {
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
    SATCHEL_TRY(const std::uint64_t bytes, bytes_of(nullptr));
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
