// What `satchel` ends with. Scripts rely on these numbers: they never change their meaning.
#pragma once

#include "engine/base/result.hpp"

namespace satchel::cli {

enum ExitCode : int {
    kExitDone = 0,
    kExitFailed = 1,
    kExitUsage = 2,
    kExitPartly = 3,
    kExitNoSite = 10,
    kExitBusy = 11,
    kExitRefused = 12,
    kExitDamaged = 13,
    kExitNoSpace = 14,
    kExitUnreachable = 15,
};

struct ExitMeaning {
    ExitCode code;
    Literal meaning;
};

inline constexpr ExitMeaning kExitMeanings[] = {
    ExitMeaning{kExitDone, "done"},
    ExitMeaning{kExitFailed, "failed"},
    ExitMeaning{kExitUsage, "the command line is wrong"},
    ExitMeaning{kExitPartly, "partly done: the rest is named"},
    ExitMeaning{kExitNoSite, "there is no site"},
    ExitMeaning{kExitBusy, "another process is using the site"},
    ExitMeaning{kExitRefused, "refused: a signature or a rule of the network does not allow it"},
    ExitMeaning{kExitDamaged, "something is damaged"},
    ExitMeaning{kExitNoSpace, "no space is left"},
    ExitMeaning{kExitUnreachable, "the other side does not answer"},
};

inline ExitCode exit_code_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::kUsage:
            return kExitUsage;
        case ErrorCode::kNoSite:
            return kExitNoSite;
        case ErrorCode::kBusy:
            return kExitBusy;
        case ErrorCode::kRefused:
            return kExitRefused;
        case ErrorCode::kDamaged:
            return kExitDamaged;
        case ErrorCode::kNoSpace:
            return kExitNoSpace;
        case ErrorCode::kUnreachable:
            return kExitUnreachable;
        case ErrorCode::kFailed:
        case ErrorCode::kNotFound:
        case ErrorCode::kExists:
        case ErrorCode::kUnsupported:
        case ErrorCode::kTooLarge:
        case ErrorCode::kReadOnly:
        case ErrorCode::kIo:
        case ErrorCode::kCancelled:
            return kExitFailed;
    }
    return kExitFailed;
}

}  // namespace satchel::cli
