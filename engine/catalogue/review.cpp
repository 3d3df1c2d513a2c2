#include "engine/catalogue/review.hpp"

#include <array>
#include <charconv>
#include <optional>

#include "engine/base/encoding.hpp"
#include "engine/catalogue/plain_text.hpp"

namespace satchel::catalogue {

std::string_view word_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::kApprove:
            return "approve";
        case Verdict::kReject:
            return "reject";
    }
    return {};
}

namespace {

constexpr std::string_view kTitle = "Satchel review, version ";
constexpr std::string_view kVersion = "1";
constexpr std::uint32_t kEditionMax = 999'999;

std::string_view word_of(ReviewRole role) {
    switch (role) {
        case ReviewRole::kContent:
            return "content";
        case ReviewRole::kTechnical:
            return "technical";
    }
    return {};
}

template <typename Value>
std::optional<Value> value_of(std::string_view word, std::initializer_list<Value> values) {
    for (const Value value : values)
        if (word == word_of(value)) return value;
    return std::nullopt;
}

std::optional<std::uint32_t> number_of(std::string_view digits) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    if (number < 1 || number > kEditionMax) return std::nullopt;
    return number;
}

Error damaged(const char* detail) {
    return fail(ErrorCode::kDamaged, "review", "the document is not in its format",
                "get it again from who made it", detail);
}

// Takes "name: value\n" off the front.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name) {
    if (!text.starts_with(name)) return std::nullopt;
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view value = text.substr(name.size(), end - name.size());
    text.remove_prefix(end + 1);
    return value;
}

}  // namespace

std::string encode(const Review& review) {
    std::string text(kTitle);
    text.append(kVersion).append("\n");
    text.append("network: ").append(to_hex(review.network)).append("\n");
    text.append("course: ").append(review.course).append("\n");
    text.append("edition: ").append(std::to_string(review.edition)).append("\n");
    text.append("manifest: ").append(to_hex(review.manifest)).append("\n");
    text.append("verdict: ").append(word_of(review.verdict)).append("\n");
    text.append("role: ").append(word_of(review.role)).append("\n");
    return text;
}

Result<Review> decode_review(ByteView statement) {
    if (statement.size() > kReviewStatementMax) return damaged("too large");
    std::string_view rest = text_of(statement);
    const std::optional<std::string_view> version = take_line(rest, kTitle);
    if (!version) return damaged("no title line");
    if (*version != kVersion)
        return fail(ErrorCode::kUnsupported, "review", "it was written by a newer program",
                    "update satchel on this box");
    constexpr std::array<std::string_view, 6> kNames = {
        "network: ", "course: ", "edition: ", "manifest: ", "verdict: ", "role: "};
    std::array<std::string_view, 6> values;
    for (std::size_t at = 0; at < kNames.size(); ++at) {
        const std::optional<std::string_view> value = take_line(rest, kNames[at]);
        if (!value) return damaged("a line is missing");
        values[at] = *value;
    }
    const auto network = id_from_hex<NetworkId>(values[0]);
    const auto edition = number_of(values[2]);
    const auto manifest = id_from_hex<ChunkId>(values[3]);
    const auto verdict = value_of(values[4], {Verdict::kApprove, Verdict::kReject});
    const auto role = value_of(values[5], {ReviewRole::kContent, ReviewRole::kTechnical});
    const bool course_fits =
        !values[1].empty() && values[1].size() <= kCourseIdMax && is_plain_text(values[1]);
    if (!network || !course_fits || !edition || !manifest || !verdict || !role)
        return damaged("a line is wrong");
    Review review{*network, std::string(values[1]), *edition, *manifest, *verdict, *role};
    // One statement, one text: no sign before a number, nothing behind the last line.
    if (encode(review) != text_of(statement)) return damaged("not in canonical form");
    return review;
}

}  // namespace satchel::catalogue
