#include "engine/records/kinds.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/base/check.hpp"
#include "engine/records/event.hpp"
#include "schemas/kinds_json.hpp"

namespace satchel::records {

namespace {

using Json = nlohmann::json;

Error wrong(const std::string& detail) {
    return fail(ErrorCode::kDamaged, "kind of record", "the document does not hold what it must",
                "get the catalogue again from a stick or another site", detail);
}

const std::map<std::string, FieldType>& field_types() {
    static const std::map<std::string, FieldType> types = {{"text", FieldType::kText},
                                                           {"integer", FieldType::kInteger},
                                                           {"time", FieldType::kTime},
                                                           {"choice", FieldType::kChoice},
                                                           {"reference", FieldType::kReference}};
    return types;
}

Result<FieldSpec> field_of(const Json& json) {
    FieldSpec field;
    field.number = json.value("number", 0u);
    field.name = json.value("name", "");
    if (field.number < kOwnFieldsFrom || field.name.empty()) return wrong("a field without number or name");
    const auto type = field_types().find(json.value("type", ""));
    if (type == field_types().end()) return wrong("the type of " + field.name);
    field.type = type->second;
    field.is_list = json.value("list", false);
    field.is_required = json.value("required", false);
    field.minimum = json.value("minimum", std::int64_t{0});
    field.maximum = json.value("maximum", std::int64_t{0});
    field.choices = json.value("choices", std::vector<std::string>());
    field.otherwise = json.value("default", "");
    return field;
}

Result<std::uint32_t> number_of(const Kind& kind, const Json& projection, const char* key) {
    if (!projection.contains(key)) return 0u;
    const FieldSpec* field = kind.field(projection[key].get<std::string>());
    if (field == nullptr) return wrong(std::string("no field for ") + key);
    return field->number;
}

Result<Kind> kind_of(const Json& json) {
    if (json.value("format", "") != "satchel-kind-1")
        return fail(ErrorCode::kUnsupported, "kind of record", "it was written by a newer program",
                    "update satchel on this box");
    Kind kind;
    kind.number = json.value("number", 0u);
    kind.name = json.value("kind", "");
    kind.aliases = json.value("aliases", std::vector<std::string>());
    if (kind.number == 0 || kind.name.empty()) return wrong("no number or name");
    for (const Json& each : json.at("fields")) {
        SATCHEL_TRY(FieldSpec field, field_of(each));
        kind.fields.push_back(std::move(field));
    }
    for (const std::string& name : json.value("identity", std::vector<std::string>())) {
        const FieldSpec* field = kind.field(name);
        if (field == nullptr) return wrong("no field for identity " + name);
        kind.identity.push_back(field->number);
    }
    const Json& projection = json.at("projection");
    SATCHEL_TRY(kind.projection.time, number_of(kind, projection, "time"));
    SATCHEL_TRY(kind.projection.course, number_of(kind, projection, "course"));
    SATCHEL_TRY(kind.projection.label, number_of(kind, projection, "label"));
    SATCHEL_TRY(kind.projection.target, number_of(kind, projection, "target"));
    SATCHEL_TRY(kind.projection.amount, number_of(kind, projection, "amount"));
    SATCHEL_TRY(kind.projection.duration, number_of(kind, projection, "duration"));
    SATCHEL_TRY(kind.projection.mode, number_of(kind, projection, "mode"));
    return kind;
}

}  // namespace

const FieldSpec* Kind::field(std::string_view field_name) const {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [field_name](const FieldSpec& each) { return each.name == field_name; });
    return found == fields.end() ? nullptr : &*found;
}

const FieldSpec* Kind::field(std::uint32_t field_number) const {
    const auto found = std::find_if(fields.begin(), fields.end(), [field_number](const FieldSpec& each) {
        return each.number == field_number;
    });
    return found == fields.end() ? nullptr : &*found;
}

Result<Kind> decode_kind(ByteView document) {
    const Json json = Json::parse(satchel::text_of(document), nullptr, false);
    if (!json.is_object()) return wrong("no JSON");
    try {
        return kind_of(json);
    } catch (const Json::exception& error) {
        return wrong(error.what());
    }
}

std::span<const Kind> built_in_kinds() {
    static const std::vector<Kind> kinds = [] {
        std::vector<Kind> made;
        for (const char* document : schemas::kKindDocuments) {
            Result<Kind> kind = decode_kind(bytes_of(document));
            SATCHEL_CHECK(kind.has_value());
            made.push_back(std::move(*kind));
        }
        return made;
    }();
    return kinds;
}

const Kind* find_kind(std::string_view name_or_alias) {
    for (const Kind& kind : built_in_kinds()) {
        if (kind.name == name_or_alias) return &kind;
        if (std::find(kind.aliases.begin(), kind.aliases.end(), name_or_alias) != kind.aliases.end())
            return &kind;
    }
    return nullptr;
}

const Kind* find_kind(std::uint32_t number) {
    for (const Kind& kind : built_in_kinds())
        if (kind.number == number) return &kind;
    return nullptr;
}

}  // namespace satchel::records
