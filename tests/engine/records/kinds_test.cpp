// Kinds of record (schemas/kind.md).
#include "engine/records/kinds.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "engine/records/record_text.hpp"

namespace satchel::records {
namespace {

std::string document(const std::string& name) {
    std::ifstream in(std::string(SATCHEL_SOURCE_DIR) + "/schemas/vectors/kind/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(Kinds, AreReadFromTheirDocuments) {
    const Result<Kind> order = decode_kind(bytes_of(document("order.json")));
    ASSERT_TRUE(order.has_value());
    EXPECT_EQ(order->number, kOrderKind);
    EXPECT_EQ(order->field("qty")->type, FieldType::kInteger);
    EXPECT_TRUE(order->field("qty")->is_required);
    EXPECT_EQ(order->projection.amount, order->field("qty")->number);
}

TEST(Kinds, OfANewerFormatOrAnUnknownTypeAreRefused) {
    EXPECT_EQ(decode_kind(bytes_of(document("newer.json"))).error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(decode_kind(bytes_of(document("no-type.json"))).error().code, ErrorCode::kDamaged);
    EXPECT_EQ(decode_kind(bytes_of("{}")).error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(decode_kind(bytes_of("[1")).error().code, ErrorCode::kDamaged);
}

TEST(Kinds, BuiltInHaveNumbersAndNamesOfTheirOwn) {
    std::set<std::uint32_t> numbers;
    std::set<std::string> names;
    for (const Kind& kind : built_in_kinds()) {
        EXPECT_TRUE(numbers.insert(kind.number).second);
        EXPECT_TRUE(names.insert(kind.name).second);
        std::set<std::uint32_t> fields;
        for (const FieldSpec& field : kind.fields)
            EXPECT_TRUE(fields.insert(field.number).second) << kind.name;
    }
    EXPECT_EQ(find_kind("viewing")->number, kViewingKind);
    EXPECT_EQ(find_kind("view"), find_kind("viewing"));
    EXPECT_EQ(find_kind(kPowerOnKind)->name, "power-on");
    EXPECT_EQ(find_kind("nonsense"), nullptr);
}

TEST(RecordText, RefusesWhatDoesNotFitAndNamesIt) {
    const auto refusal = [](const char* kind, std::vector<std::string> words) {
        const Result<Event> event = event_from_words(kind, words, 480);
        return event.has_value() ? std::string("taken") : event.error().about + "|" + event.error().detail;
    };
    EXPECT_EQ(refusal("order", {"qty=4"}), "taken");
    EXPECT_EQ(refusal("order", {}), "order|qty");
    EXPECT_EQ(refusal("order", {"qty=many"}), "qty|0..1000000000000");
    EXPECT_EQ(refusal("order", {"qty=4", "qty=5"}), "qty|it is given twice");
    EXPECT_EQ(refusal("order", {"qty=4", "price=5"}), "order price|");
    EXPECT_EQ(refusal("order", {"qty"}), "qty|");
    EXPECT_EQ(refusal("feedback", {"rating=6"}), "rating|1..5");
    EXPECT_EQ(refusal("viewing", {"headcount=3", "mode=alone"}), "mode|preview, session");
    EXPECT_EQ(refusal("viewing", {"headcount=3", "start=yesterday"}), "start|for example 2026-11-24T19:30");
    EXPECT_EQ(refusal("nonsense", {}), "nonsense|");
}

TEST(RecordText, ReadsTimesWithAndWithoutAnOffset) {
    EXPECT_EQ(parse_time("1970-01-01T08:00:00+08:00", 0), 0);
    EXPECT_EQ(parse_time("1970-01-01T08:00", 480), 0);
    EXPECT_EQ(parse_time("1970-01-01T00:00:01Z", 480), 1000);
    EXPECT_EQ(parse_time("1970-01-02", 0), 86'400'000);
    EXPECT_EQ(parse_time("1999-12-31T19:00:00-05:00", 0), parse_time("2000-01-01T00:00Z", 0));
    for (const char* wrong :
         {"", "1970", "1970-13-01", "1970-02-30", "1970-01-01T25:00", "1970-01-01T08:00+99:00", "x"})
        EXPECT_FALSE(parse_time(wrong, 0)) << wrong;
    for (const std::int64_t time :
         {std::int64_t{0}, std::int64_t{1'764'000'000'000}, std::int64_t{951'782'400'000}})
        EXPECT_EQ(parse_time(text_of_time(time, 480), 0), time);
}

TEST(RecordText, LinesOfOtherProgramsAreTheSameEventHoweverTheyAreWritten) {
    const Result<Event> one = event_from_json(
        R"({"v":1,"id":"a/1/2","site":"a","epoch":1,"seq":2,"kind":"order","at":"2025-03-01T20:19:48+08:00",)"
        R"("course":null,"theme":"水稻","qty":4})",
        480);
    const Result<Event> other =
        event_from_json(R"( {"qty": 4, "theme": "\u6c34\u7a3b", "kind": "order", "seq": 2, "site": "a",)"
                        R"( "at": "2025-03-01T12:19:48Z", "epoch": 1} )",
                        0);
    ASSERT_TRUE(one.has_value() && other.has_value());
    EXPECT_EQ(*one, *other);
    for (const char* wrong :
         {"", "{", "[]", R"({"kind":"nonsense"})", R"({"kind":"order","site":"a","qty":1})", R"({"kind":1})"})
        EXPECT_FALSE(event_from_json(wrong, 480).has_value()) << wrong;
}

}  // namespace
}  // namespace satchel::records
