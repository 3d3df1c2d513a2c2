// What a correction or retraction points at, before it is recorded: afterwards it can only be left unused.
#include <algorithm>

#include "engine/records/kinds.hpp"
#include "engine/records/projection.hpp"
#include "engine/records/records.hpp"

namespace satchel::records {

namespace {

constexpr std::string_view kVoid = "void";  // the field by which records made elsewhere take one back

struct Target {
    Identity identity;
    std::uint32_t kind = 0;
};

Error no_such_record(const std::string& reference) {
    return fail(ErrorCode::kNotFound, reference, "no such record is here",
                "copy its whole id from `satchel records list`");
}

// All events of that number; of several branches if the box was copied.
Result<std::vector<Target>> events_of(database::Database& database, const Identity& wanted) {
    SATCHEL_TRY(
        database::Statement select,
        database.prepare("SELECT branch, kind FROM fact WHERE origin = ? AND epoch = ? AND sequence = ?"));
    select.bind(1, wanted.origin).bind(2, wanted.epoch).bind(3, wanted.sequence);
    std::vector<Target> found;
    for (;;) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return found;
        Target target{wanted, static_cast<std::uint32_t>(select.integer(1))};
        target.identity.branch = std::string(select.text(0));
        found.push_back(std::move(target));
    }
}

Result<Target> resolve(database::Database& database, const std::string& reference) {
    const std::optional<Identity> wanted = parse_identity(reference);
    if (!wanted) return no_such_record(reference);
    SATCHEL_TRY(std::vector<Target> found, events_of(database, *wanted));
    if (found.size() > 1 || !wanted->branch.empty()) {
        const auto exact = std::find_if(found.begin(), found.end(),
                                        [&](const Target& one) { return one.identity == *wanted; });
        if (exact != found.end()) return *exact;
        if (!wanted->branch.empty()) return no_such_record(reference);
        return fail(ErrorCode::kUsage, reference, "several records have this number",
                    "copy its whole id from `satchel records list`");
    }
    if (found.empty()) return no_such_record(reference);
    return found.front();
}

// Each is FIELD=VALUE.
Result<void> check_fields(const Event& event, const FieldSpec& set, std::uint32_t target_kind) {
    const Kind* const kind = find_kind(target_kind);
    for (const Field& field : event.fields) {
        const auto* const text = std::get_if<std::string>(&field.value);
        if (kind == nullptr || field.number != set.number || text == nullptr) continue;
        const std::string name = text->substr(0, text->find('='));
        const bool is_known = name == kVoid || kind->field(name) != nullptr;
        if (name.size() == text->size() || !is_known)
            return fail(ErrorCode::kUsage, *text, "that record has no such field",
                        "write set=FIELD=VALUE; `satchel record --kinds` lists the fields", kind->name);
    }
    return {};
}

}  // namespace

Result<void> Records::complete_reference(Event& event) {
    if (event.kind != kCorrectionKind && event.kind != kRetractionKind) return {};
    const Kind& kind = *find_kind(event.kind);
    const auto field = std::find_if(event.fields.begin(), event.fields.end(), [&](const Field& one) {
        return one.number == kind.projection.target && std::holds_alternative<std::string>(one.value);
    });
    if (field == event.fields.end()) return {};
    SATCHEL_TRY(const Target target, resolve(database_, std::get<std::string>(field->value)));
    SATCHEL_TRY(const std::optional<trust::SiteEntry> self, trust_.site(options_.site));
    const bool is_hub = self && self->role == trust::SiteRole::kHub;
    if (!is_hub && target.identity.origin != origin_of(options_.site))
        return fail(ErrorCode::kRefused, text_of(target.identity),
                    "a site corrects only what it recorded itself", "have the hub correct it");
    field->value = text_of(target.identity);
    const FieldSpec* const set = kind.field("set");
    return set == nullptr ? Result<void>() : check_fields(event, *set, target.kind);
}

}  // namespace satchel::records
