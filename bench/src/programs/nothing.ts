/** What every other program here costs before it does anything. */
process.exitCode = 0;
