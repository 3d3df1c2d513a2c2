#include "cli/owner_protocol.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/site_lock.hpp"
#include "engine/base/encoding.hpp"
#include "engine/env/os/errno_error.hpp"

namespace satchel::cli {

namespace {

constexpr std::size_t kFrameHeaderBytes = 5;

Error gone() {
    return fail(ErrorCode::kUnreachable, "owner", "the process that owns the site went away",
                "run the command again");
}

Error malformed() {
    return fail(ErrorCode::kDamaged, "owner", "what came over the site's socket makes no sense",
                "stop the running satchel serve and start it again");
}

// Waits until the socket is ready for `events`.
Result<void> wait_for(int socket, short events, int timeout_ms, const ShouldStop& should_stop) {
    for (int waited = 0; timeout_ms == 0 || waited < timeout_ms; waited += kPollMs) {
        if (should_stop && should_stop())
            return fail(ErrorCode::kCancelled, "", "stopped before the end",
                        "run the same command again: it goes on where it stopped");
        pollfd poll_one{socket, events, 0};
        const int ready = ::poll(&poll_one, 1, kPollMs);
        if (ready > 0) return {};
        if (ready < 0 && errno != EINTR) return gone();
    }
    return gone();
}

Result<void> receive_all(int socket, MutableBytes into, int timeout_ms, const ShouldStop& should_stop) {
    std::size_t have = 0;
    while (have < into.size()) {
        SATCHEL_TRY_VOID(wait_for(socket, POLLIN, timeout_ms, should_stop));
        const ssize_t got = ::recv(socket, into.data() + have, into.size() - have, MSG_DONTWAIT);
        if (got > 0)
            have += static_cast<std::size_t>(got);
        else if (got == 0 || (errno != EINTR && errno != EAGAIN))
            return gone();
    }
    return {};
}

constexpr char kNewSocketName[] = "owner.sock.new";

sockaddr_un address_of(int folder, const char* name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = "/proc/self/fd/" + std::to_string(folder) + "/" + name;
    std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof(address.sun_path) - 1));
    return address;
}

Result<env::os::Descriptor> open_for_path(const std::string& folder) {
    env::os::Descriptor descriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.get() < 0) return env::os::error_of(errno, env::os::Access::kReading, folder);
    return descriptor;
}

Result<env::os::Descriptor> new_socket(int flags) {
    env::os::Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
    if (made.get() < 0) return env::os::error_of(errno, env::os::Access::kNaming, kSocketName);
    return made;
}

}  // namespace

ByteBuffer encode(const Invocation& invocation) {
    ByteBuffer bytes;
    Writer writer(bytes);
    writer.u32(kOwnerVersion).varint(invocation.arguments.size());
    for (const std::string& argument : invocation.arguments) writer.sized(argument);
    writer.sized(invocation.cwd).u8(invocation.language == text::Language::kChinese ? 1 : 0);
    writer.u8(invocation.err_is_terminal ? 1 : 0).u32(invocation.width);
    writer.u8(invocation.input ? 1 : 0).sized(invocation.input.value_or(""));
    return bytes;
}

Result<Invocation> decode_invocation(ByteView bytes) {
    Reader reader(bytes);
    const auto text = [&] { return std::string(text_of(reader.sized(kFrameMax))); };
    Invocation invocation;
    const std::uint32_t version = reader.u32();
    const std::uint64_t count = reader.varint();
    if (!reader.ok() || version != kOwnerVersion || count > kArgumentsMax) return malformed();
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) invocation.arguments.push_back(text());
    invocation.cwd = text();
    invocation.language = reader.u8() == 1 ? text::Language::kChinese : text::Language::kEnglish;
    invocation.err_is_terminal = reader.u8() == 1;
    invocation.width = reader.u32();
    const bool has_input = reader.u8() == 1;
    std::string input = text();
    if (has_input) invocation.input = std::move(input);
    if (!reader.at_end()) return malformed();
    return invocation;
}

ByteBuffer encode_number(std::uint32_t number) {
    ByteBuffer bytes;
    Writer(bytes).u32(number);
    return bytes;
}

std::optional<std::uint32_t> decode_number(ByteView bytes) {
    Reader reader(bytes);
    const std::uint32_t number = reader.u32();
    if (!reader.at_end()) return std::nullopt;
    return number;
}

Result<Frame> receive_frame(int socket, int timeout_ms, const ShouldStop& should_stop) {
    std::array<std::uint8_t, kFrameHeaderBytes> header{};
    SATCHEL_TRY_VOID(receive_all(socket, header, timeout_ms, should_stop));
    Reader reader(header);
    const std::uint32_t length = reader.u32();
    const std::uint8_t kind = reader.u8();
    if (length == 0 || length - 1 > kFrameMax || kind < static_cast<std::uint8_t>(FrameKind::kHello) ||
        kind > static_cast<std::uint8_t>(FrameKind::kExit))
        return malformed();
    Frame frame{static_cast<FrameKind>(kind), ByteBuffer(length - 1)};
    SATCHEL_TRY_VOID(receive_all(socket, frame.bytes, timeout_ms, should_stop));
    return frame;
}

Result<void> send_frame(int socket, FrameKind kind, ByteView bytes, int timeout_ms,
                        const ShouldStop& should_stop) {
    if (bytes.size() > kFrameMax)
        return fail(ErrorCode::kTooLarge, "owner",
                    "the command line is too long for the process that owns the site",
                    "stop the running satchel serve, then run the command again");
    ByteBuffer frame;
    Writer(frame)
        .u32(static_cast<std::uint32_t>(bytes.size() + 1))
        .u8(static_cast<std::uint8_t>(kind))
        .raw(bytes);
    std::size_t sent = 0;
    while (sent < frame.size()) {
        const ssize_t got =
            ::send(socket, frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (got >= 0) {
            sent += static_cast<std::size_t>(got);
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return gone();
        SATCHEL_TRY_VOID(wait_for(socket, POLLOUT, timeout_ms, should_stop));
    }
    return {};
}

bool peer_is_gone(int socket) {
    pollfd poll_one{socket, POLLRDHUP, 0};
    return ::poll(&poll_one, 1, 0) > 0 && (poll_one.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

// The socket gets its name when it is private and listens: so whoever sees it can connect.
Result<env::os::Descriptor> listen_in(const std::string& folder, int waiting_max) {
    SATCHEL_TRY(const env::os::Descriptor place, open_for_path(folder));
    SATCHEL_TRY(env::os::Descriptor made, new_socket(SOCK_NONBLOCK));
    const sockaddr_un address = address_of(place.get(), kNewSocketName);
    const auto failed = [&](int error) {
        return env::os::error_of(error, env::os::Access::kNaming, folder + "/" + kSocketName);
    };
    if (::unlinkat(place.get(), kNewSocketName, 0) != 0 && errno != ENOENT) return failed(errno);
    if (::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
        return failed(errno);
    if (::fchmodat(place.get(), kNewSocketName, 0600, 0) != 0) return failed(errno);
    if (::listen(made.get(), waiting_max) != 0) return failed(errno);
    if (::renameat(place.get(), kNewSocketName, place.get(), kSocketName) != 0) return failed(errno);
    return made;
}

Result<env::os::Descriptor> connect_in(const std::string& folder) {
    SATCHEL_TRY(const env::os::Descriptor place, open_for_path(folder));
    SATCHEL_TRY(env::os::Descriptor made, new_socket(SOCK_NONBLOCK));
    const sockaddr_un address = address_of(place.get(), kSocketName);
    if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
        return fail(ErrorCode::kBusy, folder, "another process is using this site",
                    "wait until it is done, then run the command again");
    return made;
}

}  // namespace satchel::cli
