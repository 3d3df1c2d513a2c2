// Method. A fact is kept under its identity. When several contents claim one identity, the one whose hash is
// the smallest counts, so that the order of arrival plays no part; all of them are listed as rivals. What
// corrections say is kept apart from what they correct, because either may come first.
#include "engine/records/projection.hpp"

#include <algorithm>
#include <limits>

#include "engine/base/encoding.hpp"
#include "engine/records/kinds.hpp"

namespace satchel::records {

namespace {

constexpr std::size_t kBranchHexDigits = 16;
constexpr std::int64_t kFinal = std::numeric_limits<std::int64_t>::max();

// What was said, without when and by which box: two administrators who record one session say the same.
Digest content_hash(const Event& event) {
    Event content;
    content.kind = event.kind;
    for (const Field& field : event.fields)
        if (field.number >= kOriginField && field.number != kSaltField) content.fields.push_back(field);
    return hash_of(encode(content));
}

std::optional<std::string> name_of(const Event& event) {
    const Kind* kind = find_kind(event.kind);
    if (kind == nullptr || kind->identity.empty() || !event.find(kind->identity.front())) return std::nullopt;
    std::string name = kind->name;
    for (const std::uint32_t number : kind->identity) {
        const Value* value = event.find(number);
        name += ":";
        if (value == nullptr) continue;
        if (const auto* integer = std::get_if<std::int64_t>(value))
            name += std::to_string(*integer);
        else
            name += std::get<std::string>(*value);
    }
    return name;
}

void bind_identity(database::Statement& statement, int from, const Identity& identity) {
    statement.bind(from, identity.origin)
        .bind(from + 1, identity.epoch)
        .bind(from + 2, identity.sequence)
        .bind(from + 3, identity.branch);
}

void bind_text(database::Statement& statement, int at, const Event& event, std::uint32_t field) {
    const std::optional<std::string> text = field == 0 ? std::nullopt : event.text(field);
    if (text)
        statement.bind(at, *text);
    else
        statement.bind_null(at);
}

void bind_integer(database::Statement& statement, int at, const Event& event, std::uint32_t field) {
    const std::optional<std::int64_t> integer = field == 0 ? std::nullopt : event.integer(field);
    if (integer)
        statement.bind(at, *integer);
    else
        statement.bind_null(at);
}

// Kinds of a newer program are kept as they are: nothing of them is counted yet.
const Kind& kind_of(const Event& event) {
    static const Kind unknown;
    const Kind* kind = find_kind(event.kind);
    return kind == nullptr ? unknown : *kind;
}

}  // namespace

std::string origin_of(const SiteId& site) { return to_hex(ByteView(site.digest).first(8)); }

Identity identity_of(const Author& author, std::uint64_t sequence, const Event& event, ByteView encoded) {
    Identity identity;
    const std::optional<std::string> origin = event.text(kOriginField);
    identity.origin = origin.value_or(origin_of(author.site));
    if (origin && event.find(kSequenceField)) {
        identity.epoch = event.integer(kEpochField).value_or(1);
        identity.sequence = event.integer(kSequenceField).value_or(0);
        return identity;
    }
    if (const std::optional<std::string> name = name_of(event)) {
        identity.branch = *name;
        return identity;
    }
    identity.epoch = author.incarnation.number;
    identity.sequence = static_cast<std::int64_t>(sequence);
    identity.branch = to_hex(hash_of(encoded)).substr(0, kBranchHexDigits);
    return identity;
}

Result<Projection> Projection::create(database::Database& database) {
    SATCHEL_TRY(
        database::Statement find,
        database.prepare("SELECT hash, site FROM fact WHERE origin = ? AND epoch = ? AND sequence = ? "
                         "AND branch = ?"));
    SATCHEL_TRY(database::Statement put,
                database.prepare(
                    "INSERT OR REPLACE INTO fact (origin, epoch, sequence, branch, kind, hash, site, at, "
                    "time, course, label, target, amount, duration, mode) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    SATCHEL_TRY(database::Statement put_rival,
                database.prepare("INSERT OR IGNORE INTO rival (origin, epoch, sequence, branch, hash) "
                                 "VALUES (?, ?, ?, ?, ?)"));
    SATCHEL_TRY(
        database::Statement put_correction,
        database.prepare("INSERT OR IGNORE INTO correction (target_origin, target_epoch, target_sequence, "
                         "target_branch, field, revision, origin, epoch, sequence, branch, value) "
                         "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    SATCHEL_TRY(database::Statement drop_corrections,
                database.prepare("DELETE FROM correction WHERE origin = ? AND epoch = ? AND sequence = ? "
                                 "AND branch = ?"));
    return Projection(std::move(find), std::move(put), std::move(put_rival), std::move(put_correction),
                      std::move(drop_corrections));
}

Result<void> Projection::note_rival(const Identity& identity, ByteView content) {
    put_rival_.reset();
    bind_identity(put_rival_, 1, identity);
    put_rival_.bind_blob(5, content);
    return put_rival_.run();
}

Result<void> Projection::add(const Author& author, std::uint64_t sequence, ByteView encoded) {
    SATCHEL_TRY(const Event event, decode_event(encoded));
    if (event.find(kOriginField) != nullptr && !author.is_hub) return {};  // not theirs to say
    const Identity identity = identity_of(author, sequence, event, encoded);
    const Digest content = content_hash(event);
    ByteBuffer hash(content.begin(), content.end());
    append(hash, hash_of(encoded));

    find_.reset();
    bind_identity(find_, 1, identity);
    SATCHEL_TRY(const bool there, find_.step());
    if (there) {
        const ByteBuffer held(find_.blob(0).begin(), find_.blob(0).end());
        SiteId holder;
        std::copy(find_.blob(1).begin(), find_.blob(1).end(), holder.digest.begin());
        find_.reset();
        if (!equal(ByteView(held).first(content.size()), content)) {
            SATCHEL_TRY_VOID(note_rival(identity, ByteView(held).first(content.size())));
            SATCHEL_TRY_VOID(note_rival(identity, content));
        }
        const auto mine = std::pair(ByteView(hash), author.site);
        const bool is_smaller =
            std::lexicographical_compare(hash.begin(), hash.end(), held.begin(), held.end()) ||
            (equal(mine.first, held) && mine.second < holder);
        if (!is_smaller) return {};
        drop_corrections_.reset();
        bind_identity(drop_corrections_, 1, identity);
        SATCHEL_TRY_VOID(drop_corrections_.run());
    }

    const Kind& kind = kind_of(event);
    const std::int64_t at = event.integer(kAtField).value_or(0);
    const std::optional<std::int64_t> time =
        kind.projection.time == 0 ? std::nullopt : event.integer(kind.projection.time);
    put_.reset();
    bind_identity(put_, 1, identity);
    put_.bind(5, static_cast<std::int64_t>(event.kind)).bind_blob(6, hash).bind_blob(7, author.site.view());
    put_.bind(8, at).bind(9, time.value_or(at));
    bind_text(put_, 10, event, kind.projection.course);
    bind_text(put_, 11, event, kind.projection.label);
    bind_text(put_, 12, event, kind.projection.target);
    bind_integer(put_, 13, event, kind.projection.amount);
    bind_integer(put_, 14, event, kind.projection.duration);
    bind_text(put_, 15, event, kind.projection.mode);
    SATCHEL_TRY_VOID(put_.run());
    return put_corrections(identity, author, event);
}

Result<void> Projection::put_corrections(const Identity& identity, const Author& author, const Event& event) {
    if (event.kind != kCorrectionKind && event.kind != kRetractionKind) return {};
    const Kind& kind = kind_of(event);
    const std::optional<std::string> reference = event.text(kind.projection.target);
    const std::optional<Identity> target = reference ? parse_identity(*reference) : std::nullopt;
    // A site corrects what it said itself; a hub may correct all.
    if (!target || (!author.is_hub && target->origin != origin_of(author.site))) return {};
    if (event.kind == kRetractionKind) return put_correction(*target, "retracted", kFinal, identity, "true");
    const std::int64_t revision = event.integer(kind.projection.amount).value_or(0);
    const FieldSpec* set = kind.field("set");
    for (const Field& field : event.fields) {
        const auto* text = std::get_if<std::string>(&field.value);
        if (set == nullptr || field.number != set->number || text == nullptr) continue;
        const std::size_t equals = text->find('=');
        if (equals == std::string::npos || equals == 0) continue;
        SATCHEL_TRY_VOID(
            put_correction(*target, text->substr(0, equals), revision, identity, text->substr(equals + 1)));
    }
    return {};
}

Result<void> Projection::put_correction(const Identity& target, const std::string& field,
                                        std::int64_t revision, const Identity& identity,
                                        const std::string& value) {
    put_correction_.reset();
    bind_identity(put_correction_, 1, target);
    put_correction_.bind(5, field).bind(6, revision);
    bind_identity(put_correction_, 7, identity);
    put_correction_.bind(11, value);
    return put_correction_.run();
}

}  // namespace satchel::records
