/**
 * The controllers: one thin reconciler per kind over the hub's runtime. The command line runs them in its own process, for the object that it
 * wrote; the installed product will run the same ones for all objects of its hub.
 */
export { reconcileMigration, type MigrationController } from './migration.ts';
