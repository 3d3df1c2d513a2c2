#include <sys/socket.h>

#include "cli/commands/output.hpp"
#include "cli/exit_codes.hpp"
#include "cli/owner.hpp"

namespace satchel::cli {

Result<std::unique_ptr<RemoteService>> RemoteService::connect(const std::string& folder) {
    SATCHEL_TRY(env::os::Descriptor socket, connect_in(folder));
    return std::unique_ptr<RemoteService>(new RemoteService(std::move(socket)));
}

int RemoteService::execute(const Invocation& invocation, Streams& streams) {
    const Result<int> code = converse(invocation, streams);
    if (code.has_value()) return *code;
    commands::Output(streams, invocation, commands::manner_of(invocation)).error(code.error());
    return exit_code_of(code.error().code);
}

Result<int> RemoteService::converse(const Invocation& invocation, Streams& streams) {
    bool told_to_stop = false;
    // The owner finishes its step, says so and ends: hanging up our half tells it, and its last words come.
    const ShouldStop tell_owner = [&] {
        if (!told_to_stop && streams.cancelled()) {
            told_to_stop = true;
            ::shutdown(socket_.get(), SHUT_WR);
        }
        return false;
    };
    const ShouldStop give_up = [&] { return streams.cancelled(); };
    SATCHEL_TRY(const Frame hello, receive_frame(socket_.get(), 0, give_up));
    if (hello.kind != FrameKind::kHello || decode_number(hello.bytes) != kOwnerVersion)
        return fail(ErrorCode::kUnsupported, "owner",
                    "the process that owns the site is another version of satchel",
                    "stop the running satchel serve and start it again");
    SATCHEL_TRY_VOID(
        send_frame(socket_.get(), FrameKind::kRequest, encode(invocation), kSendTimeoutMs, give_up));
    while (true) {
        SATCHEL_TRY(const Frame frame, receive_frame(socket_.get(), 0, tell_owner));
        switch (frame.kind) {
            case FrameKind::kOut:
                SATCHEL_TRY_VOID(streams.out(text_of(frame.bytes)));
                break;
            case FrameKind::kErr:
                streams.err(text_of(frame.bytes));
                break;
            case FrameKind::kExit:
                if (const std::optional<std::uint32_t> code = decode_number(frame.bytes); code && *code < 256)
                    return static_cast<int>(*code);
                [[fallthrough]];
            case FrameKind::kHello:
            case FrameKind::kRequest:
                return fail(ErrorCode::kDamaged, "owner", "what came over the site's socket makes no sense",
                            "stop the running satchel serve and start it again");
        }
    }
}

}  // namespace satchel::cli
