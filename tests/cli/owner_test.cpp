#include "cli/owner.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "cli/site_lock.hpp"
#include "tests/cli/captured.hpp"
#include "tests/cli/scratch.hpp"

namespace satchel::cli {
namespace {

class FakeService : public SiteService {
  public:
    int execute(const Invocation& invocation, Streams& streams) override {
        seen = invocation;
        if (waits_for_cancel) {
            waiting = true;
            while (!streams.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
            was_cancelled = true;
            streams.err("stopped\n");
            return kExitFailed;
        }
        streams.err("to people\n");
        static_cast<void>(streams.out(answer).has_value());
        return code;
    }
    Invocation seen;
    std::string answer = "to programs\n";
    int code = kExitPartly;
    std::atomic<bool> waits_for_cancel = false, waiting = false, was_cancelled = false;
};

// An owner that runs while it lives.
class Owner {
  public:
    Owner(const std::string& folder, SiteService& service) : server_(*OwnerServer::start(folder)) {
        thread_ = std::thread([this, &service] {
            ended_well_ = server_.run(service, [this] { return stop_.load(); }).has_value();
        });
    }
    ~Owner() { stop(); }
    void stop() {
        stop_ = true;
        if (thread_.joinable()) thread_.join();
    }
    [[nodiscard]] bool ended_well() const { return ended_well_; }

  private:
    OwnerServer server_;
    std::atomic<bool> stop_ = false, ended_well_ = false;
    std::thread thread_;
};

Invocation sample() {
    Invocation invocation;
    invocation.arguments = {"cat", "课程", "--json"};
    invocation.cwd = "/srv/somewhere";
    invocation.language = text::Language::kChinese;
    invocation.err_is_terminal = true;
    invocation.width = 132;
    invocation.input = "input";
    return invocation;
}

TEST(Owner, CarriesOutACommandAndAnswersWithItsOutputAndCode) {
    const ScratchFolder folder;
    FakeService service;
    service.answer = std::string(300'000, 'x');  // several frames
    Owner owner(folder.path(), service);
    auto remote = RemoteService::connect(folder.path());
    ASSERT_TRUE(remote.has_value()) << remote.error().detail;
    CapturedStreams streams;
    EXPECT_EQ((*remote)->execute(sample(), streams), kExitPartly);
    EXPECT_EQ(streams.out_text, service.answer);
    EXPECT_EQ(streams.err_text, "to people\n");
    owner.stop();
    EXPECT_TRUE(owner.ended_well());
    EXPECT_EQ(service.seen.arguments, sample().arguments);
    EXPECT_EQ(service.seen.cwd, sample().cwd);
    EXPECT_EQ(service.seen.language, text::Language::kChinese);
    EXPECT_TRUE(service.seen.err_is_terminal);
    EXPECT_EQ(service.seen.width, 132u);
    EXPECT_EQ(service.seen.input, "input");
}

TEST(Owner, ServesOneCommandAfterTheOther) {
    const ScratchFolder folder;
    FakeService service;
    const Owner owner(folder.path(), service);
    for (int i = 0; i < 10; ++i) {
        auto remote = RemoteService::connect(folder.path());
        ASSERT_TRUE(remote.has_value());
        CapturedStreams streams;
        EXPECT_EQ((*remote)->execute(sample(), streams), kExitPartly);
    }
}

TEST(Owner, ServesOthersWhileOneCommandIsLong) {
    const ScratchFolder folder;
    // Its first command ends only when a second one has come.
    class MeetingService : public SiteService {
      public:
        int execute(const Invocation&, Streams& streams) override {
            if (++inside_ == 2) met_ = true;
            while (!met_ && !streams.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            return met_ ? kExitDone : kExitFailed;
        }

      private:
        std::atomic<int> inside_ = 0;
        std::atomic<bool> met_ = false;
    } service;
    const Owner owner(folder.path(), service);
    const auto ask = [&] {
        auto remote = RemoteService::connect(folder.path());
        if (!remote.has_value()) return -1;
        CapturedStreams streams;
        return (*remote)->execute(sample(), streams);
    };
    int first = -1;
    std::thread other([&] { first = ask(); });
    EXPECT_EQ(ask(), kExitDone);
    other.join();
    EXPECT_EQ(first, kExitDone);
}

TEST(Owner, CancelsTheCommandOfAClientThatWishesToStopAndBringsItsLastWords) {
    const ScratchFolder folder;
    FakeService service;
    service.waits_for_cancel = true;
    const Owner owner(folder.path(), service);
    auto remote = RemoteService::connect(folder.path());
    ASSERT_TRUE(remote.has_value());
    CapturedStreams streams;
    std::thread stopper([&] {
        while (!service.waiting) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        streams.stop = true;
    });
    EXPECT_EQ((*remote)->execute(sample(), streams), kExitFailed);
    stopper.join();
    EXPECT_EQ(streams.err_text, "stopped\n");
}

TEST(Owner, CancelsTheCommandOfAClientThatGoesAwayAndServesTheNext) {
    const ScratchFolder folder;
    FakeService service;
    service.waits_for_cancel = true;
    const Owner owner(folder.path(), service);
    {
        auto socket = connect_in(folder.path());
        ASSERT_TRUE(socket.has_value());
        ASSERT_TRUE(receive_frame(socket->get(), 1000, {}).has_value());
        ASSERT_TRUE(send_frame(socket->get(), FrameKind::kRequest, encode(sample()), 1000, {}).has_value());
        while (!service.waiting) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    for (int i = 0; i < 1000 && !service.was_cancelled; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_TRUE(service.was_cancelled);
    service.waits_for_cancel = false;
    auto remote = RemoteService::connect(folder.path());
    ASSERT_TRUE(remote.has_value());
    CapturedStreams streams;
    EXPECT_EQ((*remote)->execute(sample(), streams), kExitPartly);
}

TEST(Owner, DropsAClientThatTalksNonsenseAndServesTheNext) {
    const ScratchFolder folder;
    FakeService service;
    const Owner owner(folder.path(), service);
    for (const ByteBuffer& nonsense : {ByteBuffer{0xff, 0xff, 0xff, 0xff, 2}, ByteBuffer{0, 0, 0, 0, 2},
                                       ByteBuffer{2, 0, 0, 0, 99, 1}, ByteBuffer{3, 0, 0, 0, 2, 1, 2}}) {
        auto socket = connect_in(folder.path());
        ASSERT_TRUE(socket.has_value());
        ASSERT_TRUE(receive_frame(socket->get(), 1000, {}).has_value());
        ASSERT_EQ(::send(socket->get(), nonsense.data(), nonsense.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(nonsense.size()));
        const Result<Frame> answer = receive_frame(socket->get(), 2000, {});
        ASSERT_FALSE(answer.has_value());
    }
    EXPECT_TRUE(service.seen.arguments.empty());
    auto remote = RemoteService::connect(folder.path());
    ASSERT_TRUE(remote.has_value());
    CapturedStreams streams;
    EXPECT_EQ((*remote)->execute(sample(), streams), kExitPartly);
}

TEST(Owner, OfAnotherVersionIsNamedAsTheReason) {
    const ScratchFolder folder;
    auto listening = listen_in(folder.path(), 1);
    ASSERT_TRUE(listening.has_value());
    auto remote = RemoteService::connect(folder.path());
    ASSERT_TRUE(remote.has_value());
    const env::os::Descriptor accepted(::accept(listening->get(), nullptr, nullptr));
    ASSERT_TRUE(send_frame(accepted.get(), FrameKind::kHello, encode_number(kOwnerVersion + 1), 1000, {})
                    .has_value());
    CapturedStreams streams;
    EXPECT_EQ((*remote)->execute(sample(), streams), kExitFailed);
    EXPECT_NE(streams.err_text.find("另一个版本"), std::string::npos) << streams.err_text;
}

TEST(Owner, KeepsItsSocketPrivateAndRemovesItAtTheEnd) {
    const ScratchFolder folder;
    FakeService service;
    {
        const Owner owner(folder.path(), service);
        struct stat info {};
        ASSERT_EQ(::stat((folder / kSocketName).c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777U, 0600U);
    }
    EXPECT_FALSE(std::filesystem::exists(folder / kSocketName));
}

TEST(Owner, IsReachedInAFolderWhosePathIsTooLongForASocket) {
    const ScratchFolder folder;
    const std::string deep = folder / (std::string(100, 'a') + "/" + std::string(100, 'b'));
    std::filesystem::create_directories(deep);
    FakeService service;
    const Owner owner(deep, service);
    auto remote = RemoteService::connect(deep);
    ASSERT_TRUE(remote.has_value());
    CapturedStreams streams;
    EXPECT_EQ((*remote)->execute(sample(), streams), kExitPartly);
}

TEST(SiteLock, LetsOneOwnerInAtATime) {
    const ScratchFolder folder;
    {
        const Result<SiteLock> first = SiteLock::take(folder.path());
        ASSERT_TRUE(first.has_value());
        const Result<SiteLock> second = SiteLock::take(folder.path());
        ASSERT_FALSE(second.has_value());
        EXPECT_EQ(second.error().code, ErrorCode::kBusy);
        EXPECT_EQ(std::stol(folder.read(kLockName)), static_cast<long>(::getpid()));
    }
    EXPECT_TRUE(SiteLock::take(folder.path()).has_value());
}

TEST(SiteLock, RemovesTheSocketOfADeadOwnerOnly) {
    const ScratchFolder folder;
    folder.write(kSocketName, "");
    const Result<SiteLock> lock = SiteLock::take(folder.path());
    ASSERT_TRUE(lock.has_value());
    EXPECT_FALSE(std::filesystem::exists(folder / kSocketName));
    folder.write(kSocketName, "");
    ASSERT_FALSE(SiteLock::take(folder.path()).has_value());
    EXPECT_TRUE(std::filesystem::exists(folder / kSocketName));
}

TEST(SiteLock, HeldByAProcessWithoutASocketMeansBusy) {
    const ScratchFolder folder;
    const Result<std::unique_ptr<RemoteService>> remote = RemoteService::connect(folder.path());
    ASSERT_FALSE(remote.has_value());
    EXPECT_EQ(remote.error().code, ErrorCode::kBusy);
}

RC_GTEST_PROP(OwnerProtocol, InvocationsComeBackAsTheyWere, (const std::vector<std::string>& arguments)) {
    Invocation invocation = sample();
    invocation.arguments = arguments;
    const Result<Invocation> back = decode_invocation(encode(invocation));
    RC_ASSERT(back.has_value());
    RC_ASSERT(back->arguments == arguments);
    RC_ASSERT(back->input == invocation.input);
}

RC_GTEST_PROP(OwnerProtocol, RefusesEveryCutOfAnInvocation, (const std::vector<std::string>& arguments)) {
    Invocation invocation = sample();
    invocation.arguments = arguments;
    const ByteBuffer whole = encode(invocation);
    const auto cut = *rc::gen::inRange<std::size_t>(0, whole.size());
    RC_ASSERT(!decode_invocation(ByteView(whole).first(cut)).has_value());
}

}  // namespace
}  // namespace satchel::cli
