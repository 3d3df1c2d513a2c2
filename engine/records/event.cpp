#include "engine/records/event.hpp"

#include <algorithm>
#include <charconv>

#include "engine/base/check.hpp"
#include "schemas/records.pb.h"

namespace satchel::records {

namespace {

Error damaged(std::string detail) {
    return fail(ErrorCode::kDamaged, "record", "the bytes are damaged",
                "fetch it again from a stick or another site", std::move(detail));
}

template <typename Number>
bool parse_number(std::string_view text, Number& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

const Value* Event::find(std::uint32_t number) const {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [number](const Field& field) { return field.number == number; });
    return found == fields.end() ? nullptr : &found->value;
}

std::optional<std::int64_t> Event::integer(std::uint32_t number) const {
    const Value* value = find(number);
    const auto* integer = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
    return integer == nullptr ? std::nullopt : std::optional(*integer);
}

std::optional<std::string> Event::text(std::uint32_t number) const {
    const Value* value = find(number);
    const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
    return text == nullptr ? std::nullopt : std::optional(*text);
}

void Event::put(std::uint32_t number, Value value) {
    const auto behind =
        std::upper_bound(fields.begin(), fields.end(), number,
                         [](std::uint32_t left, const Field& right) { return left < right.number; });
    fields.insert(behind, Field{number, std::move(value)});
}

ByteBuffer encode(const Event& event) {
    wire::Event message;
    message.set_kind(event.kind);
    for (const Field& field : event.fields) {
        wire::Field& out = *message.add_fields();
        out.set_number(field.number);
        if (const auto* integer = std::get_if<std::int64_t>(&field.value))
            out.set_integer(*integer);
        else
            out.set_text(std::get<std::string>(field.value));
    }
    ByteBuffer bytes(message.ByteSizeLong());
    SATCHEL_CHECK(message.SerializeToArray(bytes.data(), static_cast<int>(bytes.size())));
    return bytes;
}

Result<Event> decode_event(ByteView bytes) {
    if (bytes.size() > kEventMax)
        return fail(ErrorCode::kTooLarge, "record", "this is larger than it may be",
                    "split it into smaller parts");
    wire::Event message;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return damaged("no event");
    if (message.fields_size() > static_cast<int>(kFieldsMax)) return damaged("too many fields");
    Event event;
    event.kind = message.kind();
    event.fields.reserve(static_cast<std::size_t>(message.fields_size()));
    for (wire::Field& field : *message.mutable_fields()) {
        if (!event.fields.empty() && field.number() < event.fields.back().number)
            return damaged("the fields are not in order");
        Field& taken = event.fields.emplace_back();
        taken.number = field.number();
        switch (field.value_case()) {
            case wire::Field::kInteger:
                taken.value = field.integer();
                break;
            case wire::Field::kText:
                taken.value = std::move(*field.mutable_text());
                break;
            case wire::Field::VALUE_NOT_SET:
                return damaged("a field without a value");
        }
    }
    return event;
}

std::string text_of(const Identity& identity) {
    std::string text =
        identity.origin + "/" + std::to_string(identity.epoch) + "/" + std::to_string(identity.sequence);
    if (!identity.branch.empty()) text += "-" + identity.branch;
    return text;
}

std::optional<Identity> parse_identity(std::string_view text) {
    const std::size_t first = text.find('/');
    if (first == std::string_view::npos || first == 0 || first > kOriginMax) return std::nullopt;
    const std::size_t second = text.find('/', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    const std::size_t dash = text.find('-', second);
    const std::string_view number =
        text.substr(second + 1, dash == std::string_view::npos ? dash : dash - second - 1);
    Identity identity;
    identity.origin = std::string(text.substr(0, first));
    if (!parse_number(text.substr(first + 1, second - first - 1), identity.epoch)) return std::nullopt;
    if (!parse_number(number, identity.sequence)) return std::nullopt;
    if (dash != std::string_view::npos) {
        identity.branch = std::string(text.substr(dash + 1));
        if (identity.branch.empty()) return std::nullopt;
    }
    return identity;
}

}  // namespace satchel::records
