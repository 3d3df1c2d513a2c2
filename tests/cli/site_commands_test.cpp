// Commands on real sites in scratch folders: what people type, what they get.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/owner.hpp"
#include "cli/site_lock.hpp"
#include "tests/cli/captured.hpp"
#include "tests/cli/scratch.hpp"

namespace satchel::cli {
namespace {

nlohmann::json last_json(const std::string& lines) {
    const std::string text = lines.substr(0, lines.find_last_not_of('\n') + 1);
    return nlohmann::json::parse(text.substr(text.rfind('\n') + 1), nullptr, false);
}

class Commands : public ::testing::Test {
  protected:
    Ran run_words(std::vector<std::string> words, const std::string& input = {}) {
        return run_in(folder_.path(), std::move(words), input);
    }
    void make_hub() {
        const Ran ran = run_words({"init", "hub", "--network", "玉山县"});
        ASSERT_EQ(ran.code, 0) << ran.err;
    }
    void make_village() {
        const Ran request = run_words({"join-request", "village", "--site-name", "李家村"});
        ASSERT_EQ(request.code, 0) << request.err;
        const Ran grant = run_words({"--site", "hub", "enrol", "-", "--json"}, request.out);
        ASSERT_EQ(grant.code, 0) << grant.err;
        const nlohmann::json fields = last_json(grant.out);
        folder_.write("grant", fields["grant"].get<std::string>());
        const Ran joined =
            run_words({"join", "village", "grant", "--expect", fields["grant_words"].get<std::string>()});
        ASSERT_EQ(joined.code, 0) << joined.err;
    }
    void publish_and_carry() {
        folder_.write("courseware/maths/course.json", R"({"id":"maths","title":{"zh":"数学","en":"Maths"}})");
        folder_.write("courseware/maths/第一课.html", "<h1>1 + 1</h1>\n");
        ASSERT_EQ(run_words({"--site", "hub", "publish", "courseware"}).code, 0);
        std::filesystem::create_directories(folder_ / "usb");
        const Ran written = run_words({"--site", "hub", "stick", "write", "usb"});
        ASSERT_EQ(written.code, 0) << written.err;
        const Ran read = run_words({"--site", "village", "stick", "read", "usb"});
        ASSERT_EQ(read.code, 0) << read.err;
    }
    ScratchFolder folder_;
};

TEST_F(Commands, WithoutASiteEndWithTen) {
    EXPECT_EQ(run_words({"status"}).code, kExitNoSite);
    const Ran ran = run_words({"--site", "nothing", "status", "--json"});
    EXPECT_EQ(ran.code, kExitNoSite);
    EXPECT_EQ(last_json(ran.err)["code"], 10);
    EXPECT_EQ(last_json(ran.err)["message_type"], "error");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "nothing"));
}

TEST_F(Commands, OnALockedSiteEndWithEleven) {
    make_hub();
    const Result<SiteLock> lock = SiteLock::take(folder_ / "hub");
    ASSERT_TRUE(lock.has_value());
    EXPECT_EQ(run_words({"--site", "hub", "status"}).code, kExitBusy);
    EXPECT_EQ(run_words({"init", "hub", "--network", "n"}).code, kExitBusy);
}

TEST_F(Commands, CarryALessonFromHubToVillage) {
    make_hub();
    make_village();
    publish_and_carry();
    const Ran cat = run_words({"--site", "village", "cat", "maths", "第一课.html"});
    EXPECT_EQ(cat.code, 0) << cat.err;
    EXPECT_EQ(cat.out, "<h1>1 + 1</h1>\n");
    const Ran out = run_words({"--site", "village", "checkout", "maths", "out/../lesson"});
    EXPECT_EQ(out.code, 0) << out.err;
    EXPECT_EQ(folder_.read("lesson/第一课.html"), "<h1>1 + 1</h1>\n");
    EXPECT_EQ(last_json(run_words({"--site", "village", "why", "maths", "--json"}).out)["state"], "complete");
    EXPECT_EQ(last_json(run_words({"--site", "village", "why", "nothing", "--json"}).out)["state"],
              "unknown");
    EXPECT_EQ(run_words({"--site", "village", "store", "verify"}).code, 0);
    EXPECT_EQ(run_words({"--site", "village", "catalogue", "verify"}).code, 0);
    EXPECT_EQ(run_words({"stick", "show", "usb"}).code, 0);
}

TEST_F(Commands, AnswerInOneJsonShape) {
    make_hub();
    make_village();
    publish_and_carry();
    for (const std::vector<std::string>& words : {std::vector<std::string>{"status"},
                                                  {"sites", "list"},
                                                  {"sites", "show", "李家村"},
                                                  {"catalogue", "list"},
                                                  {"catalogue", "show", "maths"},
                                                  {"catalogue", "log"},
                                                  {"catalogue", "verify"},
                                                  {"review", "list"},
                                                  {"review", "statement", "maths"},
                                                  {"reviewers", "list"},
                                                  {"subscribe", "list"},
                                                  {"store", "stats"},
                                                  {"store", "verify"},
                                                  {"store", "rebuild-index"},
                                                  {"why", "maths"},
                                                  {"publish", "courseware"},
                                                  {"stick", "write", "usb"},
                                                  {"stick", "read", "usb"},
                                                  {"checkout", "maths", "lesson"}}) {
        std::vector<std::string> all = {"--site", "hub", "--json"};
        all.insert(all.end(), words.begin(), words.end());
        const Ran ran = run_words(all);
        EXPECT_EQ(ran.code, 0) << words[0] << ran.err;
        EXPECT_EQ(ran.err, "");
        std::size_t begin = 0;
        for (std::size_t end = ran.out.find('\n'); end != std::string::npos;
             begin = end + 1, end = ran.out.find('\n', begin)) {
            const nlohmann::json line =
                nlohmann::json::parse(ran.out.substr(begin, end - begin), nullptr, false);
            ASSERT_TRUE(line.is_object()) << words[0];
            EXPECT_EQ(line["message_type"], end + 1 == ran.out.size() ? "summary" : "item") << words[0];
        }
        EXPECT_EQ(begin, ran.out.size());
    }
}

TEST_F(Commands, RefuseAGrantWhoseWordsAreOthersAndAGrantThatWasUsed) {
    make_hub();
    const Ran request = run_words({"join-request", "village", "--site-name", "v"});
    const Ran grant = run_words({"--site", "hub", "enrol", "-", "--quiet"}, request.out);
    ASSERT_EQ(grant.code, 0) << grant.err;
    EXPECT_EQ(grant.err, "");
    folder_.write("grant", grant.out);
    EXPECT_EQ(run_words({"join", "village", "grant", "--expect", "lusab-babad-gutih-tugad-mokan"}).code,
              kExitRefused);
    EXPECT_EQ(run_words({"join", "village", "grant"}).code, 0);
    EXPECT_EQ(run_words({"join", "village", "grant"}).code, kExitRefused);
    EXPECT_EQ(run_words({"init", "village", "--network", "n"}).code, kExitFailed);
}

TEST_F(Commands, NameTheFileThatMakesNoSense) {
    make_hub();
    ASSERT_EQ(run_words({"join-request", "village", "--site-name", "v"}).code, 0);
    folder_.write("nonsense", "not a document of ours\n");
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"--site", "hub", "enrol", "nonsense"},
          {"join", "village", "nonsense"},
          {"--site", "hub", "review", "import", "nonsense", "nonsense"},
          {"--site", "hub", "reviewers", "add", "nonsense", "--holder", "h"}}) {
        const Ran ran = run_words(words);
        EXPECT_NE(ran.code, 0) << words[0];
        EXPECT_NE(ran.err.find("satchel: nonsense: "), std::string::npos) << ran.err;
    }
}

TEST_F(Commands, CallASiteDamagedWhoseDatabaseLostItsRecord) {
    make_hub();
    folder_.write("hub/site.db", "");
    const Ran ran = run_words({"--site", "hub", "status"});
    EXPECT_EQ(ran.code, kExitDamaged);
    EXPECT_NE(ran.err.find("site.db"), std::string::npos) << ran.err;
}

TEST_F(Commands, RefuseNumbersAndOffsetsThatMakeNoSense) {
    for (const char* const offset : {"8", "+8", "+08:60", "+15:00", "08:0x", "+:00", "+123:00"})
        EXPECT_EQ(run_words({"init", "hub", "--network", "n", "--utc-offset", offset}).code, kExitUsage)
            << offset;
    EXPECT_EQ(run_words({"init", "hub", "--network", "n", "--reviews", "65"}).code, kExitUsage);
    EXPECT_EQ(run_words({"init", "hub", "--network", "n", "--reviews", "-1"}).code, kExitUsage);
    EXPECT_EQ(run_words({"init", "hub", "--network", "n", "--utc-offset", "-03:30"}).code, 0);
}

TEST_F(Commands, NameAStickThatIsNotThere) {
    make_hub();
    const Ran ran = run_words({"--site", "hub", "stick", "write", "usb", "--lang", "zh"});
    EXPECT_EQ(ran.code, kExitFailed);
    EXPECT_NE(ran.err.find("U 盘没有插入或没有挂载"), std::string::npos) << ran.err;
}

TEST_F(Commands, ADamagedStoreEndsWithThirteenAndTheRestIsUsed) {
    make_hub();
    make_village();
    publish_and_carry();
    for (const auto& pack : std::filesystem::directory_iterator(folder_ / "village/packs")) {
        const std::string name = "village/packs/" + pack.path().filename().string();
        std::string bytes = folder_.read(name);
        const std::size_t at = bytes.find("<h1>");
        if (at == std::string::npos) continue;
        bytes[at] = 'X';
        folder_.write(name, bytes);
    }
    const Ran ran = run_words({"--site", "village", "store", "verify", "--json"});
    EXPECT_EQ(ran.code, kExitDamaged) << ran.err;
    EXPECT_EQ(last_json(ran.err)["code"], 13);
    EXPECT_EQ(last_json(ran.out)["damaged"], 1);
    EXPECT_EQ(last_json(ran.out)["lost_files"], 2);  // small files lie in one chunk
    EXPECT_EQ(last_json(ran.out)["forgotten"], 1);
    EXPECT_NE(ran.out.find("第一课.html"), std::string::npos) << ran.out;
    EXPECT_EQ(last_json(run_words({"--site", "village", "why", "maths", "--json"}).out)["state"],
              "missing-chunks");
    const Ran again = run_words({"--site", "village", "store", "verify", "--json"});
    EXPECT_EQ(again.code, 0) << "what is here is whole";
    EXPECT_EQ(last_json(again.out)["waiting"], 1) << "and not all is here";
    ASSERT_EQ(run_words({"--site", "village", "stick", "read", "usb"}).code, 0);
    EXPECT_EQ(run_words({"--site", "village", "cat", "maths", "第一课.html"}).out, "<h1>1 + 1</h1>\n");
}

TEST_F(Commands, AQuickVerifyTakesABudgetAsPeopleWriteIt) {
    make_hub();
    make_village();
    publish_and_carry();
    for (const char* const size : {"4096", "500MB", "2GB", "1GiB", "1.5GB", "0.0005TiB"}) {
        const Ran ran =
            run_words({"--site", "village", "store", "verify", "--fast", "--budget", size, "--json"});
        EXPECT_EQ(ran.code, 0) << size << ran.err;
        EXPECT_EQ(last_json(ran.out)["packs"], 1) << size;
        EXPECT_EQ(last_json(ran.out)["healed"], 0) << size;
    }
    for (const char* const size :
         {"soon", "", "-1", "2 GB", "99999999999TB", "1.5", "1.GB", ".5GB", "1.5.5GB", "1.xGB"})
        EXPECT_EQ(run_words({"--site", "village", "store", "verify", "--budget", size}).code, kExitUsage)
            << size;
    EXPECT_EQ(last_json(run_words({"--site", "village", "status", "--json"}).out)["missing_chunks"], 0);
}

TEST_F(Commands, SayWhatHasNoRoomAndWhatCouldGo) {
    make_hub();
    make_village();
    publish_and_carry();
    const Ran limited = run_words({"--site", "village", "store", "limit", "--max", "1"});
    ASSERT_EQ(limited.code, 0) << limited.err;
    EXPECT_NE(limited.err.find("There is no room left"), std::string::npos) << limited.err;
    folder_.write("courseware/songs/song.txt", "la la la\n");
    ASSERT_EQ(run_words({"--site", "hub", "publish", "courseware"}).code, 0);
    ASSERT_EQ(run_words({"--site", "hub", "stick", "write", "usb"}).code, 0);
    const Ran read = run_words({"--site", "village", "stick", "read", "usb", "--json"});
    ASSERT_EQ(read.code, 0) << read.err;
    const nlohmann::json no_room = last_json(read.out)["no_room"];
    ASSERT_EQ(no_room.size(), 1u) << read.out;
    EXPECT_EQ(no_room[0]["course"], "songs");
    EXPECT_EQ(no_room[0]["room_available"], 0);
    EXPECT_NE(
        run_words({"--site", "village", "stick", "read", "usb"}).err.find("no room for songs, edition 1"),
        std::string::npos);
    const Ran why = run_words({"--site", "village", "why", "songs"});
    EXPECT_NE(why.out.find("maths, edition 1: subscribed"), std::string::npos) << why.out;
    EXPECT_NE(why.out.find("would not be enough"), std::string::npos) << why.out;
    EXPECT_EQ(last_json(run_words({"--site", "village", "--lang", "zh", "why", "songs", "--json"})
                            .out)["could_go"][0]["claim"],
              "subscribed");
    EXPECT_NE(run_words({"--site", "village", "--lang", "zh", "why", "songs"}).out.find("加在一起也不够"),
              std::string::npos);
    const Ran in_chinese = run_words({"--site", "village", "--lang", "zh", "status"});
    EXPECT_NE(in_chinese.out.find("村站"), std::string::npos) << in_chinese.out;
}

TEST_F(Commands, DropSaysWhereThereIsNothingToDrop) {
    make_hub();
    make_village();
    publish_and_carry();
    const Ran none = run_words({"--site", "hub", "store", "drop", "maths", "--edition", "9", "--json"});
    EXPECT_EQ(none.code, 0) << none.err;
    EXPECT_EQ(last_json(none.out)["editions"], 0);
    EXPECT_EQ(run_words({"--site", "hub", "store", "drop", "maths", "--edition", "0"}).code, kExitUsage);
    ASSERT_EQ(run_words({"--site", "village", "subscribe", "remove", "all"}).code, 0);
    const Ran one = run_words({"--site", "village", "store", "drop", "maths", "--json"});
    EXPECT_EQ(last_json(one.out)["editions"], 1) << one.out;
}

TEST_F(Commands, RunInsideTheOwnerWhenOneServes) {
    make_hub();
    Invocation invocation;
    invocation.arguments = {"--site", "hub", "serve"};
    invocation.cwd = folder_.path();
    CapturedStreams streams;
    std::atomic<int> code = -1;
    std::thread owner([&] { code = run(invocation, streams); });
    for (int i = 0; i < 1000 && !std::filesystem::exists(folder_ / "hub/owner.sock"); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    folder_.write("courseware/maths/a.txt", "a");
    EXPECT_EQ(run_words({"--site", "hub", "publish", "courseware"}).code, 0);
    const Ran cat = run_words({"--site", "hub", "cat", "maths", "a.txt"});
    EXPECT_EQ(cat.out, "a");
    EXPECT_EQ(run_words({"--site", "hub", "serve"}).code, kExitBusy);
    EXPECT_EQ(run_words({"--site", "hub", "cat", "maths", "b.txt"}).code, kExitFailed);
    streams.stop = true;
    owner.join();
    EXPECT_EQ(code, 0);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "hub/owner.sock"));
    EXPECT_EQ(run_words({"--site", "hub", "status"}).code, 0);
}

TEST_F(Commands, OverTheSocketThatNeedNoOpenSiteAreRefused) {
    make_hub();
    BoxWorld world;
    auto service = LocalService::open(folder_ / "hub", world);
    ASSERT_TRUE(service.has_value()) << service.error().reason.text();
    for (const std::vector<std::string>& words : {std::vector<std::string>{"serve"},
                                                  {"init", "x", "--network", "n"},
                                                  {"join", "x", "g"},
                                                  {"join-request", "x", "--site-name", "s"},
                                                  {"stick", "show", "usb"},
                                                  {"--version"},
                                                  {"nonsense"}}) {
        Invocation invocation;
        invocation.arguments = words;
        invocation.cwd = folder_.path();
        CapturedStreams streams;
        EXPECT_EQ((*service)->execute(invocation, streams), kExitUsage) << words[0];
    }
    EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
}

}  // namespace
}  // namespace satchel::cli
