/* The first and only process of the guest that scripts/numa-guest.sh boots: runs the programs that
 * /programs lists, one to a line, tells how each ended, and switches the machine off. Static, so
 * the guest needs no C library and no shell. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(char* line) {
  char* arguments[16];
  int count = 0;
  for (char* word = strtok(line, " "); word != NULL && count < 15; word = strtok(NULL, " ")) {
    arguments[count++] = word;
  }
  arguments[count] = NULL;
  if (count == 0) return;
  printf("guest: %s\n", arguments[0]);
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    execv(arguments[0], arguments);
    fprintf(stderr, "%s: %s\n", arguments[0], strerror(errno));
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  printf("guest: %s ended with %d\n", arguments[0],
         WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  fflush(stdout);
}

int main(void) {
  mkdir("/proc", 0755);
  mkdir("/sys", 0755);
  mkdir("/dev", 0755);
  mkdir("/tmp", 0777);
  mount("proc", "/proc", "proc", 0, "");
  mount("sysfs", "/sys", "sysfs", 0, "");
  mount("devtmpfs", "/dev", "devtmpfs", 0, "");
  /* The kernel opened the console for us only if the archive has the device. */
  const int console = open("/dev/console", O_RDWR);
  if (console >= 0) {
    dup2(console, 0);
    dup2(console, 1);
    dup2(console, 2);
  }
  setenv("HOME", "/", 1);
  setenv("PATH", "/", 1);
  FILE* list = fopen("/programs", "r");
  char line[512];
  while (list != NULL && fgets(line, sizeof line, list) != NULL) {
    line[strcspn(line, "\n")] = 0;
    run(line);
  }
  printf("guest: off\n");
  fflush(stdout);
  sync();
  reboot(RB_POWER_OFF);
  return 1;
}
