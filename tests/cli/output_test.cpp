#include "cli/commands/output.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "cli/commands/progress_line.hpp"
#include "tests/cli/captured.hpp"

namespace satchel::commands {
namespace {

Error sample() {
    return fail(ErrorCode::kDamaged, "pack 7", "the bytes are damaged",
                "fetch it again from a stick or another site", "at byte 12");
}

TEST(ExitCodes, AreThoseThatScriptsRelyOn) {
    EXPECT_EQ(cli::exit_code_of(ErrorCode::kUsage), 2);
    EXPECT_EQ(cli::exit_code_of(ErrorCode::kNoSite), 10);
    EXPECT_EQ(cli::exit_code_of(ErrorCode::kBusy), 11);
    EXPECT_EQ(cli::exit_code_of(ErrorCode::kRefused), 12);
    EXPECT_EQ(cli::exit_code_of(ErrorCode::kDamaged), 13);
    EXPECT_EQ(cli::exit_code_of(ErrorCode::kNoSpace), 14);
    EXPECT_EQ(cli::exit_code_of(ErrorCode::kUnreachable), 15);
    for (const ErrorCode code :
         {ErrorCode::kFailed, ErrorCode::kNotFound, ErrorCode::kExists, ErrorCode::kUnsupported,
          ErrorCode::kTooLarge, ErrorCode::kReadOnly, ErrorCode::kIo, ErrorCode::kCancelled})
        EXPECT_EQ(cli::exit_code_of(code), 1);
}

TEST(Output, SaysAnErrorInOneLineAndItsRemedyInTheNext) {
    cli::CapturedStreams streams;
    Output(streams, {}, {}).error(sample());
    EXPECT_EQ(streams.err_text,
              "satchel: pack 7: the bytes are damaged (at byte 12)\n  fetch it again from a stick or another "
              "site\n");
    EXPECT_EQ(streams.out_text, "");
}

TEST(Output, SaysAnErrorInChinese) {
    cli::CapturedStreams streams;
    Output(streams, {}, {.language = text::Language::kChinese}).error(sample());
    EXPECT_EQ(streams.err_text, "satchel: pack 7: 数据已损坏 (at byte 12)\n  从 U 盘或其他站点重新获取\n");
}

TEST(Output, SaysAnErrorAsOneJsonLine) {
    cli::CapturedStreams streams;
    Output(streams, {}, {.json = true}).error(sample());
    ASSERT_EQ(streams.err_text.find('\n'), streams.err_text.size() - 1);
    const nlohmann::json said = nlohmann::json::parse(streams.err_text);
    EXPECT_EQ(said, (nlohmann::json{{"message_type", "error"},
                                    {"code", 13},
                                    {"about", "pack 7"},
                                    {"reason", "the bytes are damaged"},
                                    {"remedy", "fetch it again from a stick or another site"},
                                    {"detail", "at byte 12"}}));
}

TEST(Output, KeepsWordsForPeopleOutOfJson) {
    cli::CapturedStreams streams;
    Output output(streams, {}, {.json = true});
    output.print("for people");
    output.note("Stopped.");
    output.item({{"path", "\xff not UTF-8"}});
    output.summary({{"items", 1}});
    EXPECT_EQ(streams.err_text, "");
    EXPECT_EQ(streams.out_text,
              "{\"message_type\":\"item\",\"path\":\"\xEF\xBF\xBD not UTF-8\"}\n"
              "{\"items\":1,\"message_type\":\"summary\"}\n");
}

TEST(Output, LetsNoNamePlayWithTheTerminal) {
    cli::CapturedStreams streams;
    Output output(streams, {}, {});
    output.print(
        "课程\n\x1b[2J \xc2\x9b"
        "1m");
    EXPECT_EQ(streams.out_text, "课程\\n\\x1b[2J \\x9b1m\n");
    output.error(fail(ErrorCode::kFailed, "a\tb\x7f", "the bytes are damaged", ""));
    EXPECT_EQ(streams.err_text, "satchel: a\\tb\\x7f: the bytes are damaged\n");
}

TEST(Output, IsQuietWhenAskedButStillWarns) {
    cli::CapturedStreams streams;
    Output output(streams, {}, {.quiet = true});
    output.note("Stopped.");
    EXPECT_EQ(streams.err_text, "");
    output.warn("Stopped.");
    EXPECT_EQ(streams.err_text, "Stopped.\n");
}

class SteppedClock : public env::Clock {
  public:
    env::Instant wall() override { return {}; }
    std::uint64_t steady_ms() override { return now; }
    std::uint64_t now = 1000;
};

TEST(ProgressLine, ShowsNothingAwayFromATerminalAndStillCarriesTheWishToStop) {
    cli::CapturedStreams streams;
    Output output(streams, {}, {});
    SteppedClock clock;
    ProgressLine progress(output, clock);
    EXPECT_TRUE(progress.update({.stage = "reading the folder", .item = "a"}).has_value());
    EXPECT_EQ(streams.err_text, "");
    streams.stop = true;
    const Result<void> stopped = progress.update({.stage = "reading the folder", .item = "a"});
    ASSERT_FALSE(stopped.has_value());
    EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
}

TEST(ProgressLine, ShowsBytesItemsRateAndTimeLeftAtMostTenTimesASecond) {
    cli::CapturedStreams streams;
    cli::Invocation invocation;
    invocation.err_is_terminal = true;
    invocation.width = 200;
    Output output(streams, invocation, {});
    SteppedClock clock;
    ProgressLine progress(output, clock);
    for (std::uint64_t i = 0; i <= 1000; ++i) {
        clock.now = 1000 + i * 10;
        ASSERT_TRUE(progress
                        .update({.stage = "reading the folder",
                                 .item = "film.mp4",
                                 .items_done = 1,
                                 .items_total = 2,
                                 .bytes_done = i * 10240,
                                 .bytes_total = 20480000})
                        .has_value());
    }
    const auto shown =
        static_cast<std::size_t>(std::count(streams.err_text.begin(), streams.err_text.end(), '\r'));
    EXPECT_LE(shown, 102u);
    EXPECT_GE(shown, 90u);
    const std::string last = streams.err_text.substr(streams.err_text.rfind('\r'));
    EXPECT_NE(last.find("1/2  9.8 MiB/19.5 MiB  1000.0 KiB/s  0:10 left  film.mp4"), std::string::npos)
        << last;
    output.note("Stopped.");
    EXPECT_TRUE(streams.err_text.ends_with("\r\033[KStopped.\n"));
}

}  // namespace
}  // namespace satchel::commands
