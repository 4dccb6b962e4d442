/* COBS in both directions without a second buffer: bytes are decoded as they arrive, and encoded as they leave. */
#include "frame.h"

#include "checksum.h"
#include "messages.h"

void receiver_reset(receiver_t *receiver) {
  receiver->length = 0;
  receiver->block = 0;
  receiver->remaining = 0;
  receiver->is_spoiled = false;
}

static void put(receiver_t *receiver, uint8_t byte) {
  if (receiver->length == receiver->capacity) {
    receiver->is_spoiled = true;
  } else {
    receiver->bytes[receiver->length++] = byte;
  }
}

static frame_state_t finish(receiver_t *receiver) {
  const bool is_empty = receiver->block == 0;
  const bool is_whole = !receiver->is_spoiled && receiver->remaining == 0 && receiver->length >= FRAME_EXTRA_BYTES;
  const uint32_t length = is_whole ? receiver->length - FRAME_TAIL_BYTES : 0;
  receiver_reset(receiver);
  if (is_empty) {
    return FRAME_NONE;
  }
  const uint8_t *tail = receiver->bytes + length;
  if (!is_whole || checksum16(receiver->bytes, length) != (tail[0] | (uint32_t)tail[1] << 8)) {
    return FRAME_BAD;
  }
  receiver->length = length;
  return FRAME_GOOD;
}

frame_state_t receiver_take(receiver_t *receiver, uint8_t byte) {
  if (byte == 0) {
    return finish(receiver);
  }
  if (receiver->remaining > 0) {
    receiver->remaining--;
    put(receiver, byte);
    return FRAME_NONE;
  }
  if (receiver->block != 0 && receiver->block != 0xffu) {
    put(receiver, 0);
  }
  receiver->block = byte;
  receiver->remaining = (uint8_t)(byte - 1u);
  return FRAME_NONE;
}

static uint32_t run_length(const uint8_t *bytes, uint32_t length) {
  uint32_t run = 0;
  while (run < length && run < 254u && bytes[run] != 0) {
    run++;
  }
  return run;
}

static void send_encoded(const port_t *port, const uint8_t *bytes, uint32_t length) {
  static const uint8_t delimiter = 0;
  port->send(port->user, &delimiter, 1);
  for (uint32_t at = 0;;) {
    const uint32_t run = run_length(bytes + at, length - at);
    const uint8_t block = (uint8_t)(run + 1u);
    port->send(port->user, &block, 1);
    port->send(port->user, bytes + at, run);
    at += run;
    if (at == length) {
      break;
    }
    at += run < 254u ? 1u : 0u; /* the zero that the block stands for */
  }
  port->send(port->user, &delimiter, 1);
}

void frame_send(const port_t *port, uint8_t *frame, uint32_t payload_length) {
  const uint32_t length = FRAME_HEAD_BYTES + payload_length;
  const uint16_t crc = checksum16(frame, length);
  /* low byte first: with the high byte first, a frame whose low byte is 0 could lose that byte unnoticed */
  frame[length] = (uint8_t)(crc & 0xffu);
  frame[length + 1u] = (uint8_t)(crc >> 8);
  send_encoded(port, frame, length + FRAME_TAIL_BYTES);
}
