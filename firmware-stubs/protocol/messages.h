/* Codes of the wire protocol (shared/messages.def) and the fixed numbers of docs/protocol.md. */
#ifndef SPIKEPORT_MESSAGES_H
#define SPIKEPORT_MESSAGES_H

#include <stdint.h>

#define PROTOCOL_VERSION 1u
#define RESPONSE_BIT 0x80u
#define FRAME_HEAD_BYTES 4u
#define FRAME_TAIL_BYTES 2u
#define FRAME_EXTRA_BYTES (FRAME_HEAD_BYTES + FRAME_TAIL_BYTES)
#define MIN_PAYLOAD_BYTES 128u
#define MAX_BOARD_ID_BYTES 32u
#define NO_SLOT 255u

enum {
#define MESSAGE(name, code, text) MESSAGE_##name = code,
#define REFUSAL(name, code, text)
#include "../shared/messages.def"
#undef MESSAGE
#undef REFUSAL
  MESSAGE_LIMIT
};

enum {
#define MESSAGE(name, code, text)
#define REFUSAL(name, code, text) REFUSAL_##name = code,
#include "../shared/messages.def"
#undef MESSAGE
#undef REFUSAL
  REFUSAL_LIMIT
};

/* What a log frame reports. */
enum { LOG_BOOT = 1 };

/* What a reset request asks for. */
enum { RESET_NONE = 0, RESET_RESTART = 1, RESET_BOOTLOADER = 2 };

#endif
