/* Requests and their answers (docs/protocol.md, "Messages"). A request is a frame that passed its checksum; nothing else in it is trusted. */
#include "device.h"

#include <string.h>

#include "../core/crc32.h"
#include "../core/operators.h"
#include "messages.h"

#define FORMAT_OPERATORS 64u
#define UNKNOWN_STACK 0xffffffffu

/* A request's payload and the answer's payload while it is being written. */
typedef struct {
  const uint8_t *bytes;
  uint32_t length;
  uint8_t *answer;
  uint32_t answer_length;
  uint32_t answer_capacity;
} exchange_t;

typedef struct {
  uint8_t message;
  bool needs_network;
  uint8_t least_bytes; /* of the payload */
  uint8_t most_bytes;  /* 0xff: as many as a frame holds */
  uint8_t (*handle)(device_t *device, exchange_t *exchange);
} handler_t;

static uint16_t u16_at(const uint8_t *bytes) {
  return (uint16_t)(bytes[0] | (uint32_t)bytes[1] << 8);
}

static uint32_t u32_at(const uint8_t *bytes) {
  return (uint32_t)u16_at(bytes) | (uint32_t)u16_at(bytes + 2) << 16;
}

static void put_bytes(exchange_t *exchange, const void *bytes, uint32_t length) {
  memcpy(exchange->answer + exchange->answer_length, bytes, length);
  exchange->answer_length += length;
}

static void put_u8(exchange_t *exchange, uint32_t value) {
  exchange->answer[exchange->answer_length++] = (uint8_t)value;
}

static void put_u16(exchange_t *exchange, uint32_t value) {
  put_u8(exchange, value & 0xffu);
  put_u8(exchange, value >> 8 & 0xffu);
}

static void put_u32(exchange_t *exchange, uint32_t value) {
  put_u16(exchange, value & 0xffffu);
  put_u16(exchange, value >> 16);
}

static void put_u64(exchange_t *exchange, uint64_t value) {
  put_u32(exchange, (uint32_t)(value & 0xffffffffu));
  put_u32(exchange, (uint32_t)(value >> 32));
}

static uint32_t smaller(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

static uint64_t counter(const device_t *device) {
  return device->port->counter_hz == 0 ? 0 : device->port->counter(device->port->user);
}

static uint32_t stack_bytes(const device_t *device) {
  return device->port->stack_bytes == NULL ? UNKNOWN_STACK : device->port->stack_bytes(device->port->user);
}

/* ---- the active network ---- */

static uint32_t prepared_offset(const network_t *network) {
  return (network->header->arena_bytes + 15u) & ~15u;
}

/* Loads the network of a slot; returns a status or a refusal. */
static uint8_t open_network(const device_t *device, uint8_t slot, network_t *network) {
  const port_t *port = device->port;
  content_t content;
  if (!slot_content(&port->flash, slot, &content) || !slot_is_complete(&port->flash, slot)) {
    return REFUSAL_INCOMPLETE;
  }
  const status_t status = network_load(network, slot_bytes(&port->flash, slot), content.length);
  if (status != STATUS_OK) {
    return (uint8_t)status;
  }
  return network->header->arena_bytes <= port->arena_bytes ? 0u : (uint8_t)REFUSAL_ARENA;
}

static void forget_inputs(device_t *device) {
  device->input = 0;
  device->input_bytes = 0;
  device->is_tracing = false;
}

static void adopt(device_t *device, uint8_t slot, const network_t *network) {
  device->network = *network;
  device->has_network = true;
  device->slot = slot;
  forget_inputs(device);
  const uint32_t offset = prepared_offset(network);
  const size_t bytes = network_prepare_bytes(network);
  if (bytes > 0 && offset <= device->port->arena_bytes && bytes <= device->port->arena_bytes - offset) {
    network_prepare(&device->network, device->port->arena + offset);
  }
}

/* Makes the network of a complete slot the active one. */
static uint8_t activate(device_t *device, uint8_t slot) {
  network_t network;
  const uint8_t failure = open_network(device, slot, &network);
  if (failure != 0) {
    return failure;
  }
  const uint8_t refusal = slot_activate(device->port, slot);
  if (refusal == 0) {
    adopt(device, slot, &network);
  }
  return refusal;
}

static uint8_t spare_slot(const device_t *device) {
  return device->slot == 0 ? 1 : 0;
}

/* ---- hello, info, reset ---- */

static uint64_t operator_mask(void) {
  uint64_t mask = 0;
  for (uint16_t code = 0; code < FORMAT_OPERATORS; code++) {
    if (operator_find(code) != NULL) {
      mask |= (uint64_t)1 << code;
    }
  }
  return mask;
}

static uint8_t on_hello(device_t *device, exchange_t *exchange) {
  const port_t *port = device->port;
  const uint32_t id_length = (uint32_t)strlen(port->board);
  device->has_session = true;
  put_u16(exchange, PROTOCOL_VERSION);
  put_u16(exchange, EVN_VERSION);
  put_u16(exchange, port->payload_bytes);
  put_u8(exchange, device->slot);
  put_u8(exchange, device->boot_status);
  put_u32(exchange, port->credit_bytes);
  put_u32(exchange, port->clock_hz);
  put_u32(exchange, port->counter_hz);
  put_u32(exchange, slot_capacity(&port->flash));
  put_u32(exchange, port->arena_bytes);
  put_u32(exchange, device->image_crc32);
  put_u64(exchange, operator_mask());
  put_u8(exchange, id_length);
  put_bytes(exchange, port->board, id_length);
  return 0;
}

static uint8_t on_info(device_t *device, exchange_t *exchange) {
  const header_t *header = device->network.header;
  content_t content;
  slot_content(&device->port->flash, device->slot, &content);
  put_u8(exchange, device->slot);
  put_u8(exchange, device->network.prepared != NULL);
  put_u16(exchange, header->input_count);
  put_u16(exchange, header->output_count);
  put_u16(exchange, 0);
  put_u32(exchange, content.length);
  put_u32(exchange, content.crc32);
  put_u32(exchange, header->node_count);
  put_u32(exchange, header->value_count);
  put_u32(exchange, header->arena_bytes);
  put_u32(exchange, stack_bytes(device));
  return 0;
}

static uint8_t on_reset(device_t *device, exchange_t *exchange) {
  device->reset = exchange->bytes[0];
  return 0;
}

/* ---- load ---- */

static uint8_t on_load_begin(device_t *device, exchange_t *exchange) {
  const content_t content = {.length = u32_at(exchange->bytes), .crc32 = u32_at(exchange->bytes + 4)};
  content_t active;
  const bool is_active = device->has_network && slot_content(&device->port->flash, device->slot, &active) && active.length == content.length &&
                         active.crc32 == content.crc32;
  uint8_t refusal = 0;
  if (!is_active) {
    refusal = load_begin(device->port, &device->load, spare_slot(device), content);
  }
  if (refusal == 0) {
    put_u32(exchange, is_active ? content.length : device->load.next);
    put_u8(exchange, is_active);
  }
  return refusal;
}

static uint8_t on_load_chunk(device_t *device, exchange_t *exchange) {
  const uint8_t refusal = load_store(device->port, &device->load, u32_at(exchange->bytes), exchange->bytes + 4, exchange->length - 4u);
  put_u32(exchange, device->load.next);
  return refusal;
}

static uint8_t on_load_commit(device_t *device, exchange_t *exchange) {
  const load_t *load = &device->load;
  (void)exchange;
  if (!load->is_open) {
    return REFUSAL_NOT_LOADING;
  }
  if (load->next != load->content.length) {
    return REFUSAL_INCOMPLETE;
  }
  if (crc32_bytes(slot_bytes(&device->port->flash, load->slot), load->content.length) != load->content.crc32) {
    load_abandon(device->port, &device->load); /* or every later load of it would find the same wrong bytes stored */
    return REFUSAL_CONTENT;
  }
  const uint8_t refusal = activate(device, load->slot);
  device->load.is_open = false;
  return refusal;
}

static uint8_t on_rollback(device_t *device, exchange_t *exchange) {
  const uint8_t slot = spare_slot(device);
  (void)exchange;
  device->load.is_open = false;
  return slot_is_complete(&device->port->flash, slot) ? activate(device, slot) : (uint8_t)REFUSAL_NO_ROLLBACK;
}

/* ---- run ---- */

/* True until a run has consumed the inputs. */
static bool has_inputs(const device_t *device) {
  return device->input == device->network.header->input_count;
}

static bool has_fresh_inputs(const device_t *device) {
  return has_inputs(device) && !device->is_tracing;
}

static const value_t *value_of(const device_t *device, uint16_t index) {
  return index < device->network.header->value_count ? &device->network.values[index] : NULL;
}

/* Notes that `length` bytes of an input are there. Inputs come in order, what came may come again, and (0, 0) starts anew. */
static bool follow_input(device_t *device, uint16_t input, uint32_t offset, uint32_t length, uint32_t total) {
  if (input == 0 && offset == 0) {
    forget_inputs(device);
  }
  if (input < device->input) {
    return true;
  }
  if (input > device->input || offset > device->input_bytes) {
    return false;
  }
  if (offset + length > device->input_bytes) {
    device->input_bytes = offset + length;
  }
  if (device->input_bytes == total) {
    device->input++;
    device->input_bytes = 0;
  }
  return true;
}

static uint8_t on_write_input(device_t *device, exchange_t *exchange) {
  const uint16_t input = u16_at(exchange->bytes);
  const uint32_t offset = u32_at(exchange->bytes + 2);
  const uint32_t length = exchange->length - 6u;
  if (input >= device->network.header->input_count) {
    return REFUSAL_INDEX;
  }
  const uint16_t index = device->network.inputs[input];
  const uint32_t total = device->network.values[index].byte_count;
  if (offset > total || length > total - offset) {
    return REFUSAL_RANGE;
  }
  if (!follow_input(device, input, offset, length, total)) {
    return REFUSAL_INPUT_MISSING;
  }
  if (input == 0 && offset == 0) {
    network_start(&device->network, device->port->arena); /* for single nodes; a run starts by itself */
  }
  memcpy(network_value(&device->network, device->port->arena, index) + offset, exchange->bytes + 6, length);
  return 0;
}

/* Appends outputs, one after the other, up to `wanted` bytes. */
static void put_outputs(const device_t *device, exchange_t *exchange, uint32_t wanted) {
  uint32_t left = smaller(wanted, exchange->answer_capacity - exchange->answer_length);
  for (uint16_t i = 0; i < device->network.header->output_count && left > 0; i++) {
    const uint16_t index = device->network.outputs[i];
    const uint32_t piece = smaller(left, device->network.values[index].byte_count);
    put_bytes(exchange, network_value(&device->network, device->port->arena, index), piece);
    left -= piece;
  }
}

static uint8_t on_run(device_t *device, exchange_t *exchange) {
  if (!has_fresh_inputs(device)) {
    return REFUSAL_INPUT_MISSING;
  }
  const uint64_t start = counter(device);
  network_run(&device->network, device->port->arena);
  const uint64_t ticks = counter(device) - start;
  forget_inputs(device);
  put_u64(exchange, ticks);
  put_u32(exchange, stack_bytes(device));
  put_outputs(device, exchange, u16_at(exchange->bytes));
  return 0;
}

static uint64_t run_node_timed(const device_t *device, uint32_t node) {
  const uint64_t start = counter(device);
  network_run_node(&device->network, device->port->arena, node);
  return counter(device) - start;
}

static uint8_t on_run_node(device_t *device, exchange_t *exchange) {
  const uint32_t node = u32_at(exchange->bytes);
  if (!has_inputs(device)) {
    return REFUSAL_INPUT_MISSING;
  }
  if (node >= device->network.header->node_count) {
    return REFUSAL_INDEX;
  }
  device->is_tracing = true;
  put_u64(exchange, run_node_timed(device, node));
  return 0;
}

static uint8_t on_profile(device_t *device, exchange_t *exchange) {
  const uint32_t first = u32_at(exchange->bytes);
  const uint32_t count = u16_at(exchange->bytes + 4);
  const uint32_t nodes = device->network.header->node_count;
  uint64_t total = 0;
  if (!has_fresh_inputs(device)) {
    return REFUSAL_INPUT_MISSING;
  }
  if (first > nodes || count > nodes - first || count > (exchange->answer_capacity - 12u) / 4u) {
    return REFUSAL_RANGE;
  }
  exchange->answer_length = 12;
  for (uint32_t node = 0; node < nodes; node++) {
    const uint64_t ticks = run_node_timed(device, node);
    total += ticks;
    if (node >= first && node - first < count) {
      put_u32(exchange, ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
    }
  }
  forget_inputs(device);
  exchange->answer_length = 0;
  put_u64(exchange, total);
  put_u32(exchange, stack_bytes(device));
  exchange->answer_length = 12u + 4u * count;
  return 0;
}

/* ---- read ---- */

static uint8_t put_piece(exchange_t *exchange, const uint8_t *bytes, uint32_t total, uint32_t offset, uint32_t length) {
  if (offset > total || length > total - offset || length > exchange->answer_capacity) {
    return REFUSAL_RANGE;
  }
  put_bytes(exchange, bytes + offset, length);
  return 0;
}

static uint8_t on_read_value(device_t *device, exchange_t *exchange) {
  const uint16_t index = u16_at(exchange->bytes);
  const value_t *value = value_of(device, index);
  if (value == NULL) {
    return REFUSAL_INDEX;
  }
  const uint8_t *bytes = network_value(&device->network, device->port->arena, index);
  return put_piece(exchange, bytes, value->byte_count, u32_at(exchange->bytes + 2), u16_at(exchange->bytes + 6));
}

static uint8_t on_read_network(device_t *device, exchange_t *exchange) {
  const network_t *network = &device->network;
  return put_piece(exchange, network->bytes, network->header->file_bytes, u32_at(exchange->bytes), u16_at(exchange->bytes + 4));
}

static uint8_t on_self_test(device_t *device, exchange_t *exchange) {
  (void)exchange;
  forget_inputs(device);
  return (uint8_t)network_self_test(&device->network, device->port->arena);
}

/* ---- dispatch ---- */

static const handler_t HANDLERS[] = {
    {MESSAGE_HELLO, false, 2, 0xff, on_hello},
    {MESSAGE_INFO, true, 0, 0, on_info},
    {MESSAGE_RESET, false, 1, 1, on_reset},
    {MESSAGE_LOAD_BEGIN, false, 8, 8, on_load_begin},
    {MESSAGE_LOAD_CHUNK, false, 5, 0xff, on_load_chunk},
    {MESSAGE_LOAD_COMMIT, false, 0, 0, on_load_commit},
    {MESSAGE_ROLLBACK, false, 0, 0, on_rollback},
    {MESSAGE_WRITE_INPUT, true, 7, 0xff, on_write_input},
    {MESSAGE_RUN, true, 2, 2, on_run},
    {MESSAGE_RUN_NODE, true, 4, 4, on_run_node},
    {MESSAGE_READ_VALUE, true, 8, 8, on_read_value},
    {MESSAGE_READ_NETWORK, true, 6, 6, on_read_network},
    {MESSAGE_PROFILE, true, 6, 6, on_profile},
    {MESSAGE_SELF_TEST, true, 0, 0, on_self_test},
};

static const handler_t *handler_of(uint8_t message) {
  for (size_t i = 0; i < sizeof HANDLERS / sizeof *HANDLERS; i++) {
    if (HANDLERS[i].message == message) {
      return &HANDLERS[i];
    }
  }
  return NULL;
}

static uint8_t handle(device_t *device, uint8_t message, exchange_t *exchange) {
  const handler_t *handler = handler_of(message);
  if (handler == NULL) {
    return REFUSAL_UNKNOWN_MESSAGE;
  }
  if (!device->has_session && message != MESSAGE_HELLO) {
    return REFUSAL_NO_SESSION;
  }
  if (exchange->length < handler->least_bytes || (handler->most_bytes != 0xffu && exchange->length > handler->most_bytes)) {
    return REFUSAL_PAYLOAD;
  }
  if (handler->needs_network && !device->has_network) {
    return REFUSAL_NO_NETWORK;
  }
  return handler->handle(device, exchange);
}

static void put_head(uint8_t *frame, uint32_t message, uint8_t status, uint16_t sequence) {
  frame[0] = (uint8_t)message;
  frame[1] = status;
  frame[2] = (uint8_t)(sequence & 0xffu);
  frame[3] = (uint8_t)(sequence >> 8);
}

/* True where the request is the one answered last: the answer was lost, and is still in the transmit buffer. */
static bool is_repeated(const device_t *device, const uint8_t *frame, uint16_t crc) {
  return device->has_last && frame[0] == device->last_message && u16_at(frame + 2) == device->last_sequence && crc == device->last_crc;
}

static void answer(device_t *device) {
  const uint8_t *frame = device->receiver.bytes;
  uint8_t *transmit = device->port->transmit;
  const uint32_t length = device->receiver.length;
  const uint16_t crc = u16_at(frame + length);
  if ((frame[0] & RESPONSE_BIT) != 0) {
    return;
  }
  if (!is_repeated(device, frame, crc)) {
    exchange_t exchange = {.bytes = frame + FRAME_HEAD_BYTES, .length = length - FRAME_HEAD_BYTES, .answer = transmit + FRAME_HEAD_BYTES, .answer_length = 0,
                           .answer_capacity = device->port->payload_bytes};
    const uint8_t status = handle(device, frame[0], &exchange);
    put_head(transmit, frame[0] | RESPONSE_BIT, status, u16_at(frame + 2));
    device->has_last = true;
    device->last_message = frame[0];
    device->last_sequence = u16_at(frame + 2);
    device->last_crc = crc;
    device->last_length = exchange.answer_length;
  }
  frame_send(device->port, transmit, device->last_length);
}

static void send_garbled(const device_t *device) {
  uint8_t frame[FRAME_EXTRA_BYTES];
  put_head(frame, MESSAGE_GARBLED, 0, 0);
  frame_send(device->port, frame, 0);
}

void device_take(device_t *device, uint8_t byte) {
  const frame_state_t state = receiver_take(&device->receiver, byte);
  if (state == FRAME_GOOD) {
    answer(device);
    receiver_reset(&device->receiver);
  } else if (state == FRAME_BAD) {
    send_garbled(device);
  }
}

void device_announce(device_t *device) {
  uint8_t frame[FRAME_EXTRA_BYTES + 2u];
  put_head(frame, MESSAGE_LOG, 0, 0);
  frame[FRAME_HEAD_BYTES] = LOG_BOOT;
  frame[FRAME_HEAD_BYTES + 1u] = device->boot_status;
  frame_send(device->port, frame, 2);
}

void device_start(device_t *device, const port_t *port) {
  memset(device, 0, sizeof *device);
  device->port = port;
  device->receiver.bytes = port->receive;
  device->receiver.capacity = port->payload_bytes + FRAME_EXTRA_BYTES;
  device->slot = NO_SLOT;
  device->image_crc32 = crc32_bytes(port->image, port->image_bytes);
  const uint8_t slot = slot_active(&port->flash);
  network_t network;
  if (slot == NO_SLOT) {
    return;
  }
  device->boot_status = open_network(device, slot, &network);
  if (device->boot_status == 0) {
    adopt(device, slot, &network);
  }
}
