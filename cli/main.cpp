// The process around a command: its environment, its streams and its signals.
#include <sys/ioctl.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>

#include "cli/run.hpp"

namespace {

using satchel::ErrorCode;
using satchel::Result;

std::atomic<bool> stop_asked = false;
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_stop_signal(int) { stop_asked = true; }

// The first signal asks to stop soundly; a second one ends the process at once.
void listen_to_signals() {
    struct sigaction action {};
    action.sa_handler = on_stop_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

// -1 with errno, or all of it.
bool write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

class ProcessStreams : public satchel::cli::Streams {
  public:
    Result<void> out(std::string_view bytes) override {
        if (write_all(STDOUT_FILENO, bytes)) return {};
        const int error = errno;
        reader_left_ = error == EPIPE;
        if (reader_left_)
            return satchel::fail(ErrorCode::kCancelled, "", "nobody reads the answer any more",
                                 "run the command again");
        return satchel::fail(error == ENOSPC ? ErrorCode::kNoSpace : ErrorCode::kIo, "-",
                             "the answer cannot be written", "make room where it goes, or send it elsewhere",
                             std::strerror(error));
    }
    void err(std::string_view bytes) override { write_all(STDERR_FILENO, bytes); }
    bool cancelled() override { return stop_asked || reader_left_; }

  private:
    std::atomic<bool> reader_left_ = false;  // links speak from their own thread
};

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::uint32_t terminal_width() {
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// One byte more than the limit tells those who read it that it is too long.
std::string standard_input() {
    std::string input;
    char buffer[64 * 1024];
    while (input.size() <= satchel::cli::kInputMax) {
        const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof(buffer));
        if (got < 0 && errno == EINTR && !stop_asked) continue;
        if (got <= 0) break;
        input.append(buffer, static_cast<std::size_t>(got));
    }
    input.resize(std::min(input.size(), satchel::cli::kInputMax + 1));
    return input;
}

satchel::cli::Invocation invocation_of(int argc, char** argv) {
    satchel::cli::Invocation invocation;
    invocation.arguments.assign(argv + (argc > 0 ? 1 : 0), argv + argc);
    std::error_code error;
    invocation.cwd = std::filesystem::current_path(error).string();
    if (error) invocation.cwd = "/";
    invocation.site_variable = variable("SATCHEL_SITE");
    invocation.language =
        satchel::text::language_of_environment(variable("LC_ALL"), variable("LC_MESSAGES"), variable("LANG"));
    invocation.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
    invocation.width = terminal_width();
    for (const std::string& argument : invocation.arguments)
        if (argument == "-" && !invocation.input) invocation.input = standard_input();
    return invocation;
}

}  // namespace

int main(int argc, char** argv) {
    listen_to_signals();
    try {
        ProcessStreams streams;
        return satchel::cli::run(invocation_of(argc, argv), streams);
    } catch (const std::exception& error) {  // out of memory, at worst: nothing of ours throws
        write_all(STDERR_FILENO, std::string("satchel: ") + error.what() + "\n");
        return 1;
    }
}
