#include "engine/exchange/haves.hpp"

#include <algorithm>
#include <utility>

#include "engine/base/encoding.hpp"
#include "engine/database/meta.hpp"
#include "engine/exchange/holdings.hpp"

namespace satchel::exchange {

namespace {

constexpr char kHaveSequence[] = "have/sequence";
constexpr char kReceiptSequence[] = "receipt/sequence";
constexpr char kOwnHave[] = "have/own";

Result<void> for_each_blob(database::Database& database, std::string_view sql,
                           const std::function<Result<void>(ByteView)>& each) {
    SATCHEL_TRY(database::Statement select, database.prepare(sql));
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return {};
        SATCHEL_TRY_VOID(each(select.blob(0)));
    }
}

Result<Have> have_as_of_now(const Replica& replica) {
    Have have;
    have.network = replica.network;
    have.site = replica.signing_key.public_key();
    SATCHEL_TRY(const std::optional<trust::Root> root, replica.trust.current_root());
    have.root_version = root ? root->version : 0;
    SATCHEL_TRY(have.heads, replica.catalogue.heads());
    SATCHEL_TRY(have.subscriptions, subscriptions(replica.database));
    SATCHEL_TRY_VOID(for_each_blob(
        replica.database, "SELECT substr(manifest, 1, 16) FROM holding WHERE complete = 1 ORDER BY manifest",
        [&](ByteView mark) -> Result<void> {
            if (have.complete.size() == kEditionsInHaveMax) return {};
            EditionMark edition;
            std::copy(mark.begin(), mark.end(), edition.begin());
            if (have.complete.empty() || have.complete.back() < edition) have.complete.push_back(edition);
            return {};
        }));
    return have;
}

// Returns whether it was new.
Result<bool> put_receipt(database::Database& database, const Receipt& receipt, ByteView bytes) {
    const SiteId site = trust::site_id_of(receipt.site);
    SATCHEL_TRY(database::Statement insert,
                database.prepare("INSERT OR IGNORE INTO receipt (site, sequence, receipt) VALUES (?, ?, ?)"));
    insert.bind_blob(1, site.view()).bind(2, static_cast<std::int64_t>(receipt.sequence)).bind_blob(3, bytes);
    SATCHEL_TRY_VOID(insert.run());
    const bool is_new = database.rows_changed() > 0;
    SATCHEL_TRY(database::Statement trim,
                database.prepare("DELETE FROM receipt WHERE site = ?1 AND sequence <= "
                                 "(SELECT max(sequence) FROM receipt WHERE site = ?1) - ?2"));
    trim.bind_blob(1, site.view()).bind(2, static_cast<std::int64_t>(kReceiptsKept));
    SATCHEL_TRY_VOID(trim.run());
    return is_new;
}

// Whether the newest receipt that this site made for the volume says the same.
Result<bool> was_said(const Replica& replica, const Receipt& receipt) {
    std::optional<Receipt> last;
    SATCHEL_TRY(database::Statement select,
                replica.database.prepare("SELECT receipt FROM receipt WHERE site = ? ORDER BY sequence"));
    select.bind_blob(1, replica.self.id.view());
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) break;
        SATCHEL_TRY(Receipt held, decode_receipt(select.blob(0)));
        if (held.writer == receipt.writer && held.stick == receipt.stick && held.volume == receipt.volume)
            last = std::move(held);
    }
    return last && last->bytes == receipt.bytes && last->damaged == receipt.damaged;
}

}  // namespace

Result<std::optional<ByteBuffer>> peer_have_bytes(const Replica& replica, const SiteId& peer) {
    SATCHEL_TRY(database::Statement select,
                replica.database.prepare("SELECT have FROM peer_have WHERE site = ?"));
    select.bind_blob(1, peer.view());
    SATCHEL_TRY(const bool found, select.step());
    if (!found) return std::optional<ByteBuffer>();
    return std::optional(ByteBuffer(select.blob(0).begin(), select.blob(0).end()));
}

Result<std::optional<Have>> peer_have(const Replica& replica, const SiteId& peer) {
    SATCHEL_TRY(const std::optional<ByteBuffer> bytes, peer_have_bytes(replica, peer));
    if (!bytes) return std::optional<Have>();
    SATCHEL_TRY(Have have, decode_have(*bytes));
    return std::optional(std::move(have));
}

Result<ByteBuffer> own_have(const Replica& replica) {
    SATCHEL_TRY(Have now, have_as_of_now(replica));
    SATCHEL_TRY(const std::optional<ByteBuffer> last, database::meta(replica.database, kOwnHave));
    if (last) {
        const Result<Have> before = decode_have(*last);
        if (before.has_value()) {
            now.sequence = before->sequence;
            if (now == *before) return *last;
        }
    }
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(replica.database));
    SATCHEL_TRY(now.sequence, database::next_number(replica.database, kHaveSequence));
    ByteBuffer signed_have = encode(now, replica.signing_key);
    SATCHEL_TRY_VOID(database::set_meta(replica.database, kOwnHave, signed_have));
    SATCHEL_TRY_VOID(transaction.commit());
    return signed_have;
}

Result<bool> outnumber_own_have(const Replica& replica, const Have& have, ByteView bytes) {
    SATCHEL_TRY(const std::optional<ByteBuffer> last, database::meta(replica.database, kOwnHave));
    if (last && equal(*last, bytes)) return false;
    SATCHEL_TRY(const std::optional<ByteBuffer> number, database::meta(replica.database, kHaveSequence));
    const std::uint64_t newest = number ? Reader(*number).u64() : 0;
    if (have.sequence < newest) return false;
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(replica.database));
    ByteBuffer reached;
    Writer(reached).u64(have.sequence);
    SATCHEL_TRY_VOID(database::set_meta(replica.database, kHaveSequence, reached));
    // Said anew, though nothing in it changed.
    SATCHEL_TRY_VOID(database::set_meta(replica.database, kOwnHave, {}));
    SATCHEL_TRY_VOID(transaction.commit());
    return true;
}

Result<void> add_own_receipt(const Replica& replica, Receipt receipt) {
    receipt.network = replica.network;
    receipt.site = replica.signing_key.public_key();
    if (receipt.chunks_taken == 0) {
        SATCHEL_TRY(const bool said, was_said(replica, receipt));
        if (said) return {};
    }
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(replica.database));
    SATCHEL_TRY(receipt.sequence, database::next_number(replica.database, kReceiptSequence));
    SATCHEL_TRY_VOID(put_receipt(replica.database, receipt, encode(receipt, replica.signing_key)));
    return transaction.commit();
}

namespace {

// Have and receipt begin alike: magic, version, network, key of the site, sequence. Nothing of it is
// verified.
struct Sayer {
    SiteId site;
    std::int64_t sequence = 0;
};
std::optional<Sayer> sayer_of(ByteView bytes) {
    constexpr std::size_t kMagicAndVersion = 4 + 2;
    Reader reader(bytes);
    reader.raw(kMagicAndVersion);
    reader.digest();
    Sayer sayer;
    sayer.site = trust::site_id_of(trust::PublicKey{reader.digest()});
    sayer.sequence = static_cast<std::int64_t>(reader.u64());
    return reader.ok() ? std::optional(sayer) : std::nullopt;
}

}  // namespace

Result<bool> is_known_have(const Replica& replica, ByteView bytes) {
    const std::optional<Sayer> sayer = sayer_of(bytes);
    if (!sayer) return false;
    SATCHEL_TRY(
        database::Statement select,
        replica.database.prepare("SELECT 1 FROM peer_have WHERE site = ? AND sequence = ? AND have = ?"));
    select.bind_blob(1, sayer->site.view()).bind(2, sayer->sequence).bind_blob(3, bytes);
    return select.step();
}

Result<bool> is_known_receipt(const Replica& replica, ByteView bytes) {
    const std::optional<Sayer> sayer = sayer_of(bytes);
    if (!sayer) return false;
    SATCHEL_TRY(
        database::Statement select,
        replica.database.prepare("SELECT 1 FROM receipt WHERE site = ?1 AND sequence = ?2 AND receipt = ?3 "
                                 "UNION ALL SELECT 1 FROM receipt WHERE site = ?1 GROUP BY site "
                                 "HAVING max(sequence) - ?4 >= ?2"));
    select.bind_blob(1, sayer->site.view()).bind(2, sayer->sequence).bind_blob(3, bytes);
    select.bind(4, static_cast<std::int64_t>(kReceiptsKept));
    return select.step();
}

Result<bool> keep_have(const Replica& replica, const Have& have, ByteView bytes) {
    SATCHEL_TRY(database::Statement upsert,
                replica.database.prepare(
                    "INSERT INTO peer_have (site, sequence, have) VALUES (?1, ?2, ?3) "
                    "ON CONFLICT (site) DO UPDATE SET sequence = ?2, have = ?3 WHERE ?2 > sequence"));
    const SiteId id = trust::site_id_of(have.site);
    upsert.bind_blob(1, id.view()).bind(2, static_cast<std::int64_t>(have.sequence)).bind_blob(3, bytes);
    SATCHEL_TRY_VOID(upsert.run());
    return replica.database.rows_changed() > 0;
}

Result<bool> keep_receipt(const Replica& replica, const Receipt& receipt, ByteView bytes) {
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(replica.database));
    SATCHEL_TRY(const bool is_new, put_receipt(replica.database, receipt, bytes));
    SATCHEL_TRY_VOID(transaction.commit());
    return is_new;
}

Result<void> for_each_peer_have(const Replica& replica, const EachBlob& each) {
    return for_each_blob(replica.database, "SELECT have FROM peer_have ORDER BY site", each);
}

Result<void> for_each_receipt_of(
    const Replica& replica, const SiteId& site,
    const std::function<Result<void>(std::uint64_t sequence, ByteView bytes)>& each) {
    SATCHEL_TRY(
        database::Statement select,
        replica.database.prepare("SELECT sequence, receipt FROM receipt WHERE site = ? ORDER BY sequence"));
    select.bind_blob(1, site.view());
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return {};
        SATCHEL_TRY_VOID(each(static_cast<std::uint64_t>(select.integer(0)), select.blob(1)));
    }
}

Result<void> for_each_receipt(const Replica& replica, const EachBlob& each) {
    return for_each_blob(replica.database, "SELECT receipt FROM receipt ORDER BY site, sequence", each);
}

}  // namespace satchel::exchange
