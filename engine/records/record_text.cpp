#include "engine/records/record_text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace satchel::records {

namespace {

using Json = nlohmann::json;

Error wrong_field(const std::string& name, std::string detail = {}) {
    return fail(ErrorCode::kUsage, name, "this value does not fit the field",
                "see the fields of the kind with `satchel record --kinds`", std::move(detail));
}

Error no_field(const std::string& kind, const std::string& name) {
    return fail(ErrorCode::kUsage, kind + " " + name, "records of this kind have no such field",
                "see the fields of the kind with `satchel record --kinds`");
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

// Takes so many digits from the front.
bool take_digits(std::string_view& text, std::size_t count, int& into) {
    if (text.size() < count) return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + count, into);
    if (error != std::errc() || end != text.data() + count || into < 0) return false;
    text.remove_prefix(count);
    return true;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<std::int32_t> take_offset(std::string_view text, std::int32_t otherwise) {
    if (text.empty()) return otherwise;
    if (text == "Z" || text == "z") return 0;
    const bool west = text.front() == '-';
    if (!take(text, '+') && !take(text, '-')) return std::nullopt;
    int hours = 0, minutes = 0;
    if (!take_digits(text, 2, hours) || hours > 14) return std::nullopt;
    take(text, ':');
    if (!text.empty() && !take_digits(text, 2, minutes)) return std::nullopt;
    if (!text.empty() || minutes > 59) return std::nullopt;
    return (west ? -1 : 1) * (hours * 60 + minutes);
}

Result<Value> value_of(const FieldSpec& field, std::string_view text, std::int32_t offset) {
    if (text.size() > kTextMax) return wrong_field(field.name, "it is too long");
    switch (field.type) {
        case FieldType::kText:
            return Value(std::string(text));
        case FieldType::kReference:
            if (!parse_identity(text))
                return wrong_field(field.name, "SITE/EPOCH/NUMBER, as `satchel records list` shows");
            return Value(std::string(text));
        case FieldType::kChoice:
            if (std::find(field.choices.begin(), field.choices.end(), text) == field.choices.end()) {
                std::string choices;
                for (const std::string& choice : field.choices)
                    choices += (choices.empty() ? "" : ", ") + choice;
                return wrong_field(field.name, choices);
            }
            return Value(std::string(text));
        case FieldType::kTime: {
            const std::optional<std::int64_t> time = parse_time(text, offset);
            if (!time) return wrong_field(field.name, "for example 2026-11-24T19:30");
            return Value(*time);
        }
        case FieldType::kInteger: {
            const std::optional<std::int64_t> number = parse_integer(text);
            const bool has_range = field.minimum != 0 || field.maximum != 0;
            constexpr std::int64_t kNumberMax = 1'000'000'000'000;
            const std::int64_t low = field.minimum;
            const std::int64_t high = has_range ? field.maximum : kNumberMax;
            if (!number || *number < low || *number > high)
                return wrong_field(field.name, std::to_string(low) + ".." + std::to_string(high));
            return Value(*number);
        }
    }
    return wrong_field(field.name);
}

Result<const Kind*> kind_named(std::string_view name) {
    const Kind* kind = find_kind(name);
    if (kind == nullptr)
        return fail(ErrorCode::kNotFound, std::string(name), "there is no such kind of record",
                    "list the kinds with `satchel record --kinds`");
    return kind;
}

Result<void> finish(const Kind& kind, Event& event) {
    for (const FieldSpec& field : kind.fields) {
        if (event.find(field.number) != nullptr) continue;
        if (!field.otherwise.empty()) event.put(field.number, field.otherwise);
        if (field.is_required)
            return fail(ErrorCode::kUsage, kind.name,
                        "a field that records of this kind must have is missing",
                        "see the fields of the kind with `satchel record --kinds`", field.name);
    }
    return {};
}

std::string word_of(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    return value.dump();
}

// What a line says of itself: when, and of which site and number if it was made elsewhere.
Result<bool> take_common(const std::string& key, const Json& value, std::int32_t offset, Event& event) {
    constexpr std::int64_t kSecondMs = 1000;
    if (key == "kind" || key == "v" || key == "id") return true;
    if (key == "at") {
        const std::optional<std::int64_t> at = parse_time(word_of(value), offset);
        if (!at) return wrong_field(key);
        event.put(kAtField, *at);
    } else if (key == "site") {
        const std::string site = word_of(value);
        if (site.empty() || site.size() > kOriginMax || site.find('/') != std::string::npos)
            return wrong_field(key);
        event.put(kOriginField, site);
    } else if (key == "epoch" || key == "seq" || key == "boot" || key == "up") {
        const std::optional<std::int64_t> number = parse_integer(word_of(value));
        if (!number || *number < 0) return wrong_field(key);
        if (key == "up")
            event.put(kUptimeField, *number * kSecondMs);
        else
            event.put(key == "epoch" ? kEpochField : key == "seq" ? kSequenceField : kBootField, *number);
    } else {
        return false;
    }
    return true;
}

Result<void> take_field(const Kind& kind, const std::string& key, const Json& value, std::int32_t offset,
                        Event& event) {
    const FieldSpec* field = kind.field(key);
    if (field == nullptr) return no_field(kind.name, key);
    if (value.is_null()) return {};
    std::vector<std::string> words;
    if (field->is_list && value.is_object()) {
        for (const auto& [name, item] : value.items()) words.push_back(name + "=" + word_of(item));
    } else if (field->is_list && value.is_array()) {
        for (const Json& item : value) words.push_back(word_of(item));
    } else {
        words.push_back(word_of(value));
    }
    for (const std::string& word : words) {
        SATCHEL_TRY(Value taken, value_of(*field, word, offset));
        event.put(field->number, std::move(taken));
    }
    return {};
}

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text, std::int32_t utc_offset_minutes) {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) || !take(text, '-') ||
        !take_digits(text, 2, day))
        return std::nullopt;
    if (!text.empty()) {
        if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
        if (!take_digits(text, 2, hour) || !take(text, ':') || !take_digits(text, 2, minute))
            return std::nullopt;
        if (take(text, ':') && !take_digits(text, 2, second)) return std::nullopt;
        int fraction = 0;
        if (take(text, '.'))
            while (!text.empty() && text.front() >= '0' && text.front() <= '9')
                take_digits(text, 1, fraction);
    }
    const std::optional<std::int32_t> offset = take_offset(text, utc_offset_minutes);
    const auto date = std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) /
                      std::chrono::day(static_cast<unsigned>(day));
    if (!offset || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    const std::int64_t seconds = ((days * 24 + hour) * 60 + minute - *offset) * 60 + second;
    return seconds * 1000;
}

std::string text_of_time(std::int64_t unix_ms, std::int32_t utc_offset_minutes) {
    const std::chrono::sys_seconds local(
        std::chrono::floor<std::chrono::seconds>(std::chrono::milliseconds(unix_ms)) +
        std::chrono::minutes(utc_offset_minutes));
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock{local - day};
    const std::int32_t offset = std::abs(utc_offset_minutes);
    char text[40];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d%c%02d:%02d",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                  utc_offset_minutes < 0 ? '-' : '+', offset / 60, offset % 60);
    return text;
}

Result<Event> event_from_words(std::string_view kind_name, const std::vector<std::string>& words,
                               std::int32_t utc_offset_minutes) {
    SATCHEL_TRY(const Kind* const kind, kind_named(kind_name));
    Event event;
    event.kind = kind->number;
    for (const std::string& word : words) {
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos)
            return fail(ErrorCode::kUsage, word, "this is not field=value",
                        "see the fields of the kind with `satchel record --kinds`");
        const std::string name = word.substr(0, equals);
        if (name == "at") {
            SATCHEL_TRY_VOID(take_common(name, word.substr(equals + 1), utc_offset_minutes, event));
            continue;
        }
        const FieldSpec* field = kind->field(name);
        if (field == nullptr) return no_field(kind->name, name);
        if (!field->is_list && event.find(field->number) != nullptr)
            return wrong_field(name, "it is given twice");
        SATCHEL_TRY(Value value,
                    value_of(*field, std::string_view(word).substr(equals + 1), utc_offset_minutes));
        event.put(field->number, std::move(value));
    }
    SATCHEL_TRY_VOID(finish(*kind, event));
    return event;
}

Result<Event> event_from_json(std::string_view line, std::int32_t utc_offset_minutes) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("kind") || !json["kind"].is_string())
        return fail(ErrorCode::kUsage, "record", "this line is not a record",
                    "write one JSON object a line, with a kind");
    SATCHEL_TRY(const Kind* const kind, kind_named(json["kind"].get<std::string>()));
    Event event;
    event.kind = kind->number;
    for (const auto& [key, value] : json.items()) {
        SATCHEL_TRY(const bool common, take_common(key, value, utc_offset_minutes, event));
        if (!common) SATCHEL_TRY_VOID(take_field(*kind, key, value, utc_offset_minutes, event));
    }
    const bool made_elsewhere = event.find(kOriginField) != nullptr;
    if (made_elsewhere && event.find(kSequenceField) == nullptr)
        return fail(ErrorCode::kUsage, "record", "a record of another site needs its number there",
                    "give site, epoch and seq");
    SATCHEL_TRY_VOID(finish(*kind, event));
    return event;
}

std::string json_of(const Identity& identity, const Event& event, std::int32_t utc_offset_minutes) {
    const Kind* kind = find_kind(event.kind);
    Json json = {{"id", text_of(identity)},
                 {"kind", kind == nullptr ? "kind " + std::to_string(event.kind) : kind->name}};
    for (const Field& field : event.fields) {
        const auto* integer = std::get_if<std::int64_t>(&field.value);
        if (field.number == kAtField && integer != nullptr) {
            json["at"] = text_of_time(*integer, utc_offset_minutes);
            continue;
        }
        const FieldSpec* spec = kind == nullptr ? nullptr : kind->field(field.number);
        if (spec == nullptr) continue;
        Json value;
        if (integer != nullptr && spec->type == FieldType::kTime)
            value = text_of_time(*integer, utc_offset_minutes);
        else if (integer != nullptr)
            value = *integer;
        else
            value = std::get<std::string>(field.value);
        if (spec->is_list)
            json[spec->name].push_back(value);
        else
            json[spec->name] = value;
    }
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace satchel::records
