#include "engine/trust/json_document.hpp"

#include <nlohmann/json.hpp>

namespace satchel::trust {

std::string canonical(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

bool is_printable(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < 0x20 || byte == 0x7f) return false;
        // U+0080 to U+009F, among them the one-character form of ESC [.
        if (byte == 0xC2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0)
            return false;
    }
    return !text.empty();
}

Error damaged_document(const char* what, std::string detail) {
    return fail(ErrorCode::kDamaged, what, "the document is not in its format",
                "get it again from who made it", std::move(detail));
}

Result<Json> parse_canonical(ByteView document, std::size_t size_max, const char* what) {
    constexpr int kDepthMax = 16;
    if (document.size() > size_max) return damaged_document(what, "too large");
    const auto not_too_deep = [](int depth, Json::parse_event_t event, Json&) {
        const bool opens =
            event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
        return !opens || depth < kDepthMax;
    };
    Json json = Json::parse(document.begin(), document.end(), not_too_deep, false);
    if (json.is_discarded() || !json.is_object()) return damaged_document(what, "not a JSON object");
    if (canonical(json) != text_of(document)) return damaged_document(what, "not in canonical form");
    return json;
}

Fields::Fields(const Json& json) : json_(json), ok_(json.is_object()) {}

bool Fields::has(const char* name) const { return json_.is_object() && json_.contains(name); }

const Json* Fields::take(const char* name) {
    if (!has(name)) return nullptr;
    ++taken_;
    return &json_[name];
}

std::string Fields::text(const char* name, std::size_t size_max) {
    const Json* field = take(name);
    const auto* value = field == nullptr ? nullptr : field->get_ptr<const std::string*>();
    require(value != nullptr && value->size() <= size_max);
    return ok_ ? *value : std::string();
}

std::int64_t Fields::number(const char* name, std::int64_t low, std::int64_t high) {
    const Json* field = take(name);
    require(field != nullptr && field->is_number_integer());
    if (!ok_) return 0;
    const bool too_large =
        field->is_number_unsigned() && field->get<std::uint64_t>() > std::uint64_t{INT64_MAX};
    const std::int64_t value = too_large ? 0 : field->get<std::int64_t>();
    require(!too_large && value >= low && value <= high);
    return ok_ ? value : 0;
}

const Json& Fields::list(const char* name, std::size_t count_max) {
    static const Json kEmpty = Json::array();
    const Json* field = take(name);
    require(field != nullptr && field->is_array() && field->size() <= count_max);
    return ok_ ? *field : kEmpty;
}

bool Fields::all_known() const { return taken_ == json_.size(); }

Result<void> Fields::finish(const char* what) const {
    if (!ok_) return damaged_document(what, "a field is missing or wrong");
    if (!all_known())
        return fail(ErrorCode::kUnsupported, what, "it was written by a newer program",
                    "update satchel on this box", "unknown field");
    return {};
}

}  // namespace satchel::trust
