/* Reads 125 holding registers again and again with libmodbus, as `capline bench acquire` compares itself with:
 * libmodbus_loop HOST PORT MILLISECONDS prints how often it read and for how many seconds. */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: %s HOST PORT MILLISECONDS\n", argv[0]);
        return 2;
    }
    modbus_t *context = modbus_new_tcp(argv[1], atoi(argv[2]));
    if (context == NULL || modbus_set_slave(context, 1) != 0 || modbus_connect(context) != 0) {
        fprintf(stderr, "%s:%s cannot be reached\n", argv[1], argv[2]);
        return 1;
    }
    double limit = atof(argv[3]) / 1e3, since = now();
    unsigned long n = 0;
    uint16_t registers[125];
    while (n % 64 != 0 || now() - since < limit) {
        if (modbus_read_registers(context, 0, 125, registers) != 125) {
            fprintf(stderr, "read %lu failed: %s\n", n, modbus_strerror(errno));
            return 1;
        }
        n++;
    }
    printf("%lu %.6f\n", n, now() - since);
    modbus_close(context);
    modbus_free(context);
    return 0;
}
