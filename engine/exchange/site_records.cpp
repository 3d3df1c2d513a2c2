#include "engine/exchange/site_records.hpp"

#include <algorithm>
#include <set>

#include "engine/base/encoding.hpp"
#include "engine/database/meta.hpp"
#include "engine/exchange/scope.hpp"

namespace satchel::exchange {

namespace {

constexpr char kSequence[] = "acknowledgement/sequence";
constexpr char kOwnDigest[] = "acknowledgement/digest";

FeedHead told(const records::FeedHead& head) {
    return {head.incarnation.number, head.incarnation.tag, head.next_sequence, SegmentId{head.head.digest}};
}

std::vector<FeedHead> told(std::span<const records::FeedHead> heads) {
    std::vector<FeedHead> out;
    for (const records::FeedHead& head : heads) out.push_back(told(head));
    std::sort(out.begin(), out.end());
    return out;
}

ByteBuffer encode_heads(const std::vector<FeedHead>& heads) {
    ByteBuffer out;
    Writer writer(out);
    for (const FeedHead& head : heads)
        writer.u32(head.incarnation_number)
            .raw(head.incarnation_tag)
            .u64(head.next_sequence)
            .raw(head.head.view());
    return out;
}

std::vector<FeedHead> decode_heads(ByteView bytes) {
    Reader reader(bytes);
    std::vector<FeedHead> heads;
    while (reader.ok() && reader.left() > 0) {
        const FeedHead head = read_head(reader);
        if (reader.ok()) heads.push_back(head);
    }
    return heads;
}

}  // namespace

// -- of its own scope, or else carried --------------------------------------------------------------

Result<std::vector<FeedHead>> SiteRecords::heads_of(const SiteId& site) {
    SATCHEL_TRY(const std::vector<records::FeedHead> heads, records_.heads_of(site));
    if (!heads.empty()) return told(heads);
    SATCHEL_TRY(const bool in_scope, is_in_scope(site));
    return in_scope ? Result<std::vector<FeedHead>>(std::vector<FeedHead>()) : custody_.heads_of(site);
}

Result<bool> SiteRecords::has(const SegmentId& id) {
    SATCHEL_TRY(const bool held, records_.is_linked(records::SegmentId{id.digest}));
    return held ? Result<bool>(true) : custody_.has(id);
}

// Nobody takes what a revoked box said.
Result<std::map<SiteId, std::vector<FeedHead>>> SiteRecords::carried_feeds() {
    SATCHEL_TRY(auto feeds, custody_.feeds());
    for (auto each = feeds.begin(); each != feeds.end();) {
        SATCHEL_TRY(const std::optional<trust::SiteEntry> entry, trust_.site(each->first));
        SATCHEL_TRY(const bool in_scope, is_in_scope(each->first));
        const bool revoked = entry && entry->state == trust::SiteState::kRevoked;
        if (revoked) SATCHEL_TRY_VOID(custody_.drop_all_of(each->first));
        each = revoked || in_scope ? feeds.erase(each) : std::next(each);
    }
    return feeds;
}

Result<void> SiteRecords::for_each_feed(
    const std::function<Result<void>(const SiteId&, std::span<const FeedHead>)>& each) {
    SATCHEL_TRY(const auto carried, carried_feeds());
    auto next = carried.begin();
    const auto carried_before = [&](const SiteId* site) -> Result<void> {
        for (; next != carried.end() && (site == nullptr || next->first < *site); ++next)
            SATCHEL_TRY_VOID(each(next->first, next->second));
        return {};
    };
    SATCHEL_TRY_VOID(records_.for_each_feed(
        [&](const SiteId& site, std::span<const records::FeedHead> heads) -> Result<void> {
            SATCHEL_TRY_VOID(carried_before(&site));
            if (next != carried.end() && next->first == site) ++next;  // it came into this site's scope since
            return each(site, told(heads));
        }));
    return carried_before(nullptr);
}

Result<void> SiteRecords::segments_after(
    const SiteId& site, std::span<const SegmentId> known,
    const std::function<Result<bool>(const SegmentId&, ByteView)>& sink) {
    SATCHEL_TRY(const std::vector<records::FeedHead> heads, records_.heads_of(site));
    if (heads.empty()) return custody_.segments_after(site, known, sink);
    std::vector<records::SegmentId> held;
    for (const SegmentId& id : known) held.push_back(records::SegmentId{id.digest});
    return records_.segments_after(site, held, [&](const records::SegmentId& id, ByteView bytes) {
        return sink(SegmentId{id.digest}, bytes);
    });
}

// As SiteTree::holds() of this site, without reading the whole roster.
Result<bool> SiteRecords::is_in_scope(const SiteId& site) {
    const SiteId self = trust::site_id_of(key_.public_key());
    if (site == self) return true;
    SATCHEL_TRY(const std::optional<trust::SiteEntry> own, trust_.site(self));
    if (!own || own->role != trust::SiteRole::kHub) return false;
    if (!own->parent) return true;
    SiteId at = site;
    for (std::size_t depth = 0; depth < kTreeDepthMax; ++depth) {
        SATCHEL_TRY(const std::optional<trust::SiteEntry> entry, trust_.site(at));
        if (!entry || !entry->parent) return false;
        if (*entry->parent == self) return true;
        at = *entry->parent;
    }
    return false;
}

Result<RecordsPort::Taken> SiteRecords::accept(ByteView segment) {
    SATCHEL_TRY(const SiteId site, records::site_of_segment(segment));
    SATCHEL_TRY(const bool in_scope, is_in_scope(site));
    if (in_scope) {
        SATCHEL_TRY(const records::Taken taken, records_.accept(segment));
        return Taken{taken.is_new, taken.site};
    }
    SATCHEL_TRY(const records::OpenedSegment opened, records::open_segment(segment, network_));
    const Result<void> may_be_taken = records_.check_author(site);
    // Who hands it on may not have heard yet that the box was revoked, or this site not that it joined.
    if (!may_be_taken.has_value() && (may_be_taken.error().code == ErrorCode::kRefused ||
                                      may_be_taken.error().code == ErrorCode::kNotFound))
        return Taken{false, site};
    SATCHEL_TRY_VOID(may_be_taken);
    SATCHEL_TRY(const bool settled, is_settled(opened));
    if (settled) return Taken{false, site};
    SATCHEL_TRY(const bool taken, custody_.put(opened, segment));
    return Taken{taken, site};
}

Result<void> SiteRecords::commit() {
    SATCHEL_TRY_VOID(custody_.commit());
    return records_.commit();
}

// -- what hubs acknowledge --------------------------------------------------------------------------

Result<bool> SiteRecords::is_hub() {
    SATCHEL_TRY(const std::optional<trust::SiteEntry> self,
                trust_.site(trust::site_id_of(key_.public_key())));
    return self && self->role == trust::SiteRole::kHub;
}

Result<ByteBuffer> SiteRecords::statement_of(std::vector<AcknowledgedFeed> feeds) {
    Acknowledgement statement;
    statement.network = network_;
    statement.hub = key_.public_key();
    statement.feeds = std::move(feeds);
    const ByteBuffer unnumbered = encode(statement, key_);
    const Digest digest = hash_of(unnumbered);
    const std::string key = std::string(kOwnDigest) + "/" + to_hex(ByteView(digest).first(8));
    SATCHEL_TRY(const std::optional<ByteBuffer> numbered, database::meta(database_, key));
    if (numbered) {
        Reader reader(*numbered);
        statement.sequence = reader.u64();
    } else {
        SATCHEL_TRY(statement.sequence, database::next_number(database_, kSequence));
        SATCHEL_TRY_VOID(
            database_.run(std::string("DELETE FROM meta WHERE key GLOB '") + kOwnDigest + "/*'"));
        ByteBuffer number;
        Writer(number).u64(statement.sequence);
        SATCHEL_TRY_VOID(database::set_meta(database_, key, number));
    }
    return encode(statement, key_);
}

// What a hub only carries for others it does not acknowledge.
Result<std::vector<ByteBuffer>> SiteRecords::acknowledge(std::span<const SiteId> sites) {
    SATCHEL_TRY(const bool hub, is_hub());
    if (!hub) return words_on(sites);
    std::vector<AcknowledgedFeed> feeds;
    for (const SiteId& site : sites.first(std::min(sites.size(), kAcknowledgedFeedsMax))) {
        SATCHEL_TRY(const std::vector<records::FeedHead> heads, records_.heads_of(site));
        if (!heads.empty() && heads.size() <= kAcknowledgedHeadsMax) feeds.push_back({site, told(heads)});
    }
    if (feeds.empty()) return std::vector<ByteBuffer>();
    SATCHEL_TRY(ByteBuffer statement, statement_of(std::move(feeds)));
    return std::vector<ByteBuffer>{std::move(statement)};
}

Result<void> SiteRecords::for_each_own_acknowledgement(const std::function<Result<void>(ByteView)>& sink) {
    SATCHEL_TRY(const bool hub, is_hub());
    if (!hub) return {};
    std::vector<AcknowledgedFeed> feeds;
    const auto flush = [&]() -> Result<void> {
        if (feeds.empty()) return {};
        SATCHEL_TRY(const ByteBuffer statement, statement_of(std::exchange(feeds, {})));
        return sink(statement);
    };
    SATCHEL_TRY_VOID(records_.for_each_feed(
        [&](const SiteId& site, std::span<const records::FeedHead> heads) -> Result<void> {
            if (heads.size() > kAcknowledgedHeadsMax) return {};
            feeds.push_back({site, told(heads)});
            return feeds.size() < kAcknowledgedFeedsMax ? Result<void>() : flush();
        }));
    return flush();
}

Result<void> SiteRecords::accept_acknowledgement(ByteView bytes) {
    SATCHEL_TRY(const Acknowledgement statement, decode_acknowledgement(bytes));
    if (statement.network != network_)
        return fail(ErrorCode::kRefused, "acknowledgement", "it belongs to another network",
                    "use a stick of this network");
    const SiteId hub = trust::site_id_of(statement.hub);
    if (statement.hub == key_.public_key()) return {};
    SATCHEL_TRY(const std::optional<trust::SiteEntry> entry, trust_.site(hub));
    if (!entry) return {};  // the catalogue that names it comes later: it will be said again
    if (entry->role != trust::SiteRole::kHub || entry->state != trust::SiteState::kActive)
        return fail(ErrorCode::kRefused, entry->name, "only a hub in use may acknowledge records",
                    "ask the hub what this site is");
    SATCHEL_TRY_VOID(custody_.commit());
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    bool concerns_this_site = false;
    for (const AcknowledgedFeed& feed : statement.feeds) {
        SATCHEL_TRY(const bool kept, keep(hub, statement.sequence, feed));
        concerns_this_site = concerns_this_site || kept;
        if (!kept) continue;
        SATCHEL_TRY(const std::vector<FeedHead> settled, settled_heads(feed.site));
        SATCHEL_TRY_VOID(custody_.drop_up_to(feed.site, settled));
    }
    if (concerns_this_site) SATCHEL_TRY_VOID(keep_word(hub, statement.sequence, bytes));
    return transaction.commit();
}

// Only of feeds that lie here: a stick's statement of a whole county is of no use to a village. False: it
// tells nothing newest of a feed here.
Result<bool> SiteRecords::keep(const SiteId& hub, std::uint64_t sequence, const AcknowledgedFeed& feed) {
    SATCHEL_TRY(const std::vector<FeedHead> here, heads_of(feed.site));
    if (here.empty()) return false;
    const auto number = static_cast<std::int64_t>(sequence);
    SATCHEL_TRY(database::Statement known,
                database_.prepare("SELECT sequence FROM acknowledgement WHERE hub = ? AND site = ?"));
    known.bind_blob(1, hub.view()).bind_blob(2, feed.site.view());
    SATCHEL_TRY(const bool is_known, known.step());
    if (is_known && known.integer(0) >= number) return known.integer(0) == number;
    known.reset();
    SATCHEL_TRY(
        database::Statement put,
        database_.prepare(
            "INSERT OR REPLACE INTO acknowledgement (hub, site, sequence, statement) VALUES (?, ?, ?, ?)"));
    put.bind_blob(1, hub.view()).bind_blob(2, feed.site.view()).bind(3, number);
    put.bind_blob(4, encode_heads(feed.heads));
    SATCHEL_TRY_VOID(put.run());
    return true;
}

Result<std::vector<FeedHead>> SiteRecords::acknowledged_by(const SiteId& hub, const SiteId& site) {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT statement FROM acknowledgement WHERE hub = ? AND site = ?"));
    select.bind_blob(1, hub.view()).bind_blob(2, site.view());
    SATCHEL_TRY(const bool found, select.step());
    return found ? decode_heads(select.blob(0)) : std::vector<FeedHead>();
}

Result<void> SiteRecords::for_each_unacknowledged(const std::function<Result<bool>(ByteView)>& sink) {
    SATCHEL_TRY_VOID(close_segment());
    SATCHEL_TRY(const SiteTree tree, SiteTree::read(trust_));
    const SiteId self = trust::site_id_of(key_.public_key());
    std::vector<SiteId> hubs;
    SATCHEL_TRY_VOID(trust_.for_each_site([&](const trust::SiteEntry& entry) -> Result<void> {
        if (entry.role == trust::SiteRole::kHub && entry.state == trust::SiteState::kActive &&
            entry.id != self)
            hubs.push_back(entry.id);
        return {};
    }));
    std::vector<SiteId> sites;
    SATCHEL_TRY_VOID(for_each_feed([&](const SiteId& site, std::span<const FeedHead>) -> Result<void> {
        sites.push_back(site);
        return {};
    }));
    // A village that just joined may know of no hub yet: for whichever there is, all of it.
    SATCHEL_TRY(const bool is_hub_itself, is_hub());
    const bool knows_no_hub = hubs.empty() && !is_hub_itself;
    if (knows_no_hub) hubs.emplace_back();
    bool go_on = true;
    for (const SiteId& site : sites) {
        std::set<SegmentId> sent;
        for (const SiteId& hub : hubs) {
            if (!go_on || !(knows_no_hub || tree.holds(hub, site))) continue;
            SATCHEL_TRY(const std::vector<FeedHead> known, acknowledged_by(hub, site));
            std::vector<SegmentId> ids;
            for (const FeedHead& head : known) ids.push_back(head.head);
            SATCHEL_TRY_VOID(
                segments_after(site, ids, [&](const SegmentId& id, ByteView bytes) -> Result<bool> {
                    if (!sent.insert(id).second) return true;
                    SATCHEL_TRY(go_on, sink(bytes));
                    return go_on;
                }));
        }
    }
    // What came by stick and waits for what is before it: a hub may hold that.
    if (hubs.empty() || !go_on) return {};
    return records_.for_each_waiting(sink);
}

}  // namespace satchel::exchange
