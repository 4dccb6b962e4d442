/* The firmware as a process: a pseudo terminal, TCP or stdin and stdout as its line, a file or memory as its flash. For tests and for development
   of the protocol; not a product. SIGUSR1 is its reset button, --cut N pulls the plug after N writes or erasures of flash. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "../../protocol/device.h"
#include "../../protocol/messages.h"

#define ERASE_BYTES 4096u
#define WRITE_BYTES 16u
#define SLOT_BYTES (1024u * 1024u)
#define FLASH_BYTES (2u * ERASE_BYTES + 2u * SLOT_BYTES)
#define ARENA_BYTES (4u * 1024u * 1024u)
#define PAYLOAD_BYTES 1024u
#define CREDIT_BYTES 16384u
#define EXIT_CUT 3

typedef struct {
  int input, output; /* file descriptors of the line */
  uint8_t *flash;
  long writes_left; /* before the plug is pulled; negative: never */
  size_t pending;
  uint8_t out[65536];
} host_t;

static volatile sig_atomic_t reset_pressed;

static void on_reset_button(int signal_number) {
  (void)signal_number;
  reset_pressed = 1;
}

static void fail(const char *what) {
  fprintf(stderr, "spikeport-host: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* ---- the port ---- */

static void flush_line(host_t *host) {
  for (size_t done = 0; done < host->pending;) {
    const ssize_t written = write(host->output, host->out + done, host->pending - done);
    if (written < 0 && errno != EINTR) {
      fail("write");
    }
    done += written > 0 ? (size_t)written : 0;
  }
  host->pending = 0;
}

static void host_send(void *user, const uint8_t *bytes, size_t length) {
  host_t *host = user;
  if (host->pending + length > sizeof host->out) {
    flush_line(host);
  }
  memcpy(host->out + host->pending, bytes, length);
  host->pending += length;
}

/* Half of the operation that is cut still happens, as on a chip. */
static uint32_t allowed(host_t *host, uint32_t length) {
  if (host->writes_left < 0) {
    return length;
  }
  return host->writes_left-- > 0 ? length : length / 2u;
}

static void cut_if_due(const host_t *host, uint32_t done, uint32_t length) {
  if (host->writes_left < 0 && done < length) {
    _exit(EXIT_CUT);
  }
}

static bool host_erase(void *user, uint32_t offset) {
  host_t *host = user;
  const uint32_t length = allowed(host, ERASE_BYTES);
  memset(host->flash + offset, 0xff, length);
  cut_if_due(host, length, ERASE_BYTES);
  return true;
}

/* Programming clears bits and never sets them. */
static bool host_write(void *user, uint32_t offset, const uint8_t *bytes, uint32_t length) {
  host_t *host = user;
  const uint32_t done = allowed(host, length);
  for (uint32_t i = 0; i < done; i++) {
    host->flash[offset + i] &= bytes[i];
  }
  cut_if_due(host, done, length);
  return true;
}

static uint64_t host_counter(void *user) {
  struct timespec now;
  (void)user;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static port_t host_port(host_t *host) {
  static const uint8_t image[] = "host";
  static _Alignas(16) uint8_t arena[ARENA_BYTES];
  static uint8_t receive[PAYLOAD_BYTES + FRAME_EXTRA_BYTES], transmit[PAYLOAD_BYTES + FRAME_EXTRA_BYTES];
  return (port_t){
      .board = "host", .clock_hz = 1000000000u, .counter_hz = 1000000000u, .image = image, .image_bytes = sizeof image - 1u,
      .flash = {.base = host->flash, .config = 0, .slots = {2u * ERASE_BYTES, 2u * ERASE_BYTES + SLOT_BYTES}, .slot_bytes = SLOT_BYTES,
                .erase_bytes = ERASE_BYTES, .write_bytes = WRITE_BYTES},
      .arena = arena, .arena_bytes = ARENA_BYTES, .receive = receive, .transmit = transmit, .payload_bytes = PAYLOAD_BYTES,
      .credit_bytes = CREDIT_BYTES, .user = host, .send = host_send, .erase = host_erase, .write = host_write, .counter = host_counter, .stack_bytes = NULL,
  };
}

/* ---- lines ---- */

static void open_pty(host_t *host) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
    fail("pty");
  }
  const char *name = ptsname(master);
  const int slave = name == NULL ? -1 : open(name, O_RDWR | O_NOCTTY); /* kept open, so that a host may come and go */
  struct termios line;
  if (slave < 0 || tcgetattr(slave, &line) != 0) {
    fail("pty");
  }
  cfmakeraw(&line);
  tcsetattr(slave, TCSANOW, &line);
  host->input = host->output = master;
  printf("%s\n", name);
  fflush(stdout);
}

static void open_tcp(host_t *host, const char *port) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 1) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
    fail("tcp");
  }
  printf("tcp:127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  host->input = host->output = accept(listener, NULL, NULL);
  if (host->input < 0) {
    fail("tcp");
  }
}

static uint8_t *open_flash(const char *path) {
  if (path == NULL) {
    uint8_t *memory = aligned_alloc(4096, FLASH_BYTES);
    if (memory == NULL) {
      fail("flash");
    }
    return memset(memory, 0xff, FLASH_BYTES);
  }
  const int file = open(path, O_RDWR | O_CREAT, 0666);
  const bool is_new = file >= 0 && lseek(file, 0, SEEK_END) < (off_t)FLASH_BYTES;
  if (file < 0 || ftruncate(file, (off_t)FLASH_BYTES) != 0) {
    fail(path);
  }
  uint8_t *memory = mmap(NULL, FLASH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) {
    fail(path);
  }
  close(file);
  return is_new ? memset(memory, 0xff, FLASH_BYTES) : memory;
}

/* ---- the main loop ---- */

static void restart(host_t *host, const port_t *port, device_t *device) {
  reset_pressed = 0;
  flush_line(host);
  device_start(device, port);
  device_announce(device);
  flush_line(host);
}

static void serve(host_t *host) {
  const port_t port = host_port(host);
  device_t device;
  restart(host, &port, &device);
  for (;;) {
    uint8_t bytes[4096];
    const ssize_t count = read(host->input, bytes, sizeof bytes);
    if (reset_pressed != 0) {
      restart(host, &port, &device);
    }
    if (count == 0 || (count < 0 && errno != EINTR)) {
      return;
    }
    for (ssize_t i = 0; i < count; i++) {
      device_take(&device, bytes[i]);
      if (device.reset != RESET_NONE) {
        restart(host, &port, &device);
      }
    }
    flush_line(host);
  }
}

static void use(char **arguments) {
  fprintf(stderr, "usage: %s --pty | --tcp PORT | --stdio  [--flash FILE] [--cut WRITES]\n", arguments[0]);
  exit(2);
}

int main(int count, char **arguments) {
  static host_t host = {.writes_left = -1, .input = -1};
  const char *flash = NULL;
  const char *tcp = NULL;
  bool has_pty = false;
  bool has_stdio = false;
  for (int i = 1; i < count; i++) {
    const bool has_next = i + 1 < count;
    if (strcmp(arguments[i], "--pty") == 0) {
      has_pty = true;
    } else if (strcmp(arguments[i], "--stdio") == 0) {
      has_stdio = true;
    } else if (strcmp(arguments[i], "--tcp") == 0 && has_next) {
      tcp = arguments[++i];
    } else if (strcmp(arguments[i], "--flash") == 0 && has_next) {
      flash = arguments[++i];
    } else if (strcmp(arguments[i], "--cut") == 0 && has_next) {
      host.writes_left = atol(arguments[++i]);
    } else {
      use(arguments);
    }
  }
  if (has_pty + has_stdio + (tcp != NULL) != 1) {
    use(arguments);
  }
  const struct sigaction button = {.sa_handler = on_reset_button};
  sigaction(SIGUSR1, &button, NULL);
  signal(SIGPIPE, SIG_IGN);
  host.flash = open_flash(flash);
  if (has_pty) {
    open_pty(&host);
  } else if (tcp != NULL) {
    open_tcp(&host, tcp);
  } else {
    host.input = STDIN_FILENO;
    host.output = STDOUT_FILENO;
  }
  serve(&host);
  return 0;
}
