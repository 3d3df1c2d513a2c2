// What happened at a site, as it travels: the number of a kind and numbered values (schemas/segment.md).
// Unknown kinds and fields are kept as they came.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/bytes.hpp"
#include "engine/base/hash.hpp"
#include "engine/base/result.hpp"

namespace satchel::records {

inline constexpr std::size_t kEventMax = 16 * 1024;  // encoded: a long feedback fits, a picture is courseware
inline constexpr std::size_t kFieldsMax = 256;
inline constexpr std::size_t kTextMax = 8 * 1024;

// Fields that every kind has; a kind's own begin at 16.
inline constexpr std::uint32_t kAtField = 1;        // ms of UTC, by the site's clock as it stood
inline constexpr std::uint32_t kBootField = 2;      // how often the box had started
inline constexpr std::uint32_t kUptimeField = 3;    // ms since that start, by a steady clock
inline constexpr std::uint32_t kOriginField = 4;    // of a record made elsewhere: the site that it is of,
inline constexpr std::uint32_t kEpochField = 5;     // its epoch
inline constexpr std::uint32_t kSequenceField = 6;  // and its number there
inline constexpr std::uint32_t kSaltField = 7;      // chance, so that two boxes' equal events stay two
inline constexpr std::uint32_t kOwnFieldsFrom = 16;

using Value = std::variant<std::int64_t, std::string>;
struct Field {
    std::uint32_t number = 0;
    Value value;
    friend bool operator==(const Field&, const Field&) = default;
};
struct Event {
    std::uint32_t kind = 0;
    std::vector<Field> fields;  // ascending by number; a list repeats its number
    friend bool operator==(const Event&, const Event&) = default;

    [[nodiscard]] const Value* find(std::uint32_t number) const;  // the first of that number
    [[nodiscard]] std::optional<std::int64_t> integer(std::uint32_t number) const;
    [[nodiscard]] std::optional<std::string> text(std::uint32_t number) const;
    void put(std::uint32_t number, Value value);  // keeps the order
};

[[nodiscard]] ByteBuffer encode(const Event& event);
Result<Event> decode_event(ByteView bytes);  // kDamaged, kTooLarge

// Whose event it is and which: what counts once. Compared in this order, texts by code point.
struct Identity {
    std::string origin;
    std::int64_t epoch = 0;
    std::int64_t sequence = 0;
    std::string branch;  // tells the events of cloned boxes apart; empty for records made elsewhere
    friend auto operator<=>(const Identity&, const Identity&) = default;
};
inline constexpr std::size_t kOriginMax = 120;
// "ORIGIN/EPOCH/SEQUENCE", and "-BRANCH" behind it if there is one. Named events: "ORIGIN/0/0-KIND:NAME".
[[nodiscard]] std::string text_of(const Identity& identity);
[[nodiscard]] std::optional<Identity> parse_identity(std::string_view text);

}  // namespace satchel::records
