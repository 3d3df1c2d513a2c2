// Kinds of record: what fields they have, what makes two of them the same, and which of their fields reports
// count. A kind is a document (schemas/kind.md); those of this release are built in.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/bytes.hpp"
#include "engine/base/result.hpp"

namespace satchel::records {

enum class FieldType { kText, kInteger, kTime, kChoice, kReference };

struct FieldSpec {
    std::uint32_t number = 0;
    std::string name;
    FieldType type = FieldType::kText;
    bool is_list = false;
    bool is_required = false;
    std::int64_t minimum = 0;
    std::int64_t maximum = 0;  // both 0: any number that is not negative
    std::vector<std::string> choices;
    std::string otherwise;  // a choice that is not made
};

// Which field a report takes as what; 0: none.
struct Measures {
    std::uint32_t time = 0, course = 0, label = 0, target = 0, amount = 0, duration = 0, mode = 0;
};

struct Kind {
    std::uint32_t number = 0;
    std::string name;
    std::vector<std::string> aliases;
    std::vector<std::uint32_t> identity;  // fields that name the event, if the first of them is given
    std::vector<FieldSpec> fields;
    Measures projection;
    [[nodiscard]] const FieldSpec* field(std::string_view field_name) const;
    [[nodiscard]] const FieldSpec* field(std::uint32_t field_number) const;
};

// The built-in kinds' numbers.
inline constexpr std::uint32_t kViewingKind = 1, kRollCallKind = 2, kStepKind = 3, kFeedbackKind = 4,
                               kOrderKind = 5, kPowerOnKind = 6, kDeviceKind = 7, kCorrectionKind = 8,
                               kRetractionKind = 9;

Result<Kind> decode_kind(ByteView document);  // kDamaged, kUnsupported
[[nodiscard]] std::span<const Kind> built_in_kinds();
[[nodiscard]] const Kind* find_kind(std::string_view name_or_alias);
[[nodiscard]] const Kind* find_kind(std::uint32_t number);

}  // namespace satchel::records
